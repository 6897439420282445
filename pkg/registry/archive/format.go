// SPDX-License-Identifier: Apache-2.0

// Package archive turns a directory into an artifact and back: in memory, as an
// OCI image layout on disk, and as layers that are unpacked. It knows the format
// that docs/interop.md, section 4, describes, and no network.
//
// An archive is hostile until it is unpacked: that is bounded, and cannot leave
// the target directory.
package archive

// The media types of an artifact.
const (
	MediaTypeConfig  = "application/vnd.timoni.config.v1+json"
	MediaTypeContent = "application/vnd.timoni.content.v1.tar+gzip"
)

// AnnotationContentType on a layer says what the layer holds.
const AnnotationContentType = "sh.timoni.content.type"

// The content types of a module's layers, in the order of the manifest.
const (
	ContentVendor = "module/vendor" // cue.mod/ and nothing else
	ContentModule = "module"        // everything but cue.mod/
)

// The annotations of a manifest.
const (
	AnnotationVersion  = "org.opencontainers.image.version"
	AnnotationCreated  = "org.opencontainers.image.created"
	AnnotationSource   = "org.opencontainers.image.source"
	AnnotationRevision = "org.opencontainers.image.revision"
	AnnotationImages   = "sh.timoni.images"
)

// ignoreFile in the root of a module lists, in .gitignore syntax, what is left
// out of the module layer. It does not apply to the vendor layer.
const ignoreFile = "timoni.ignore"

// vendorDir holds what a module imports.
const vendorDir = "cue.mod"

// emptyConfig is the config blob of every artifact: an image config without
// content. It carries no meaning, its digest is part of every manifest.
const emptyConfig = `{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"layers","diff_ids":null},"config":{}}`

// mediaTypeEmpty is that of the config of what is no image, emptyJSON its content.
const (
	MediaTypeEmpty = "application/vnd.oci.empty.v1+json"
	emptyJSON      = "{}"
)

// MaxManifest bounds a manifest, as registries do.
const MaxManifest = 4 << 20

// Limits bound what one artifact may take of memory and disk. A zero field
// means its default. They hold for packing too, so that what is pushed can be
// pulled.
type Limits struct {
	Blob  int64 // compressed bytes of one layer, 64 MiB
	File  int64 // bytes of one file, 64 MiB
	Total int64 // bytes of all files, 512 MiB
	Files int   // files and directories, 10 000
}

// OrDefault returns the limits with the default in each field that is zero.
func (l Limits) OrDefault() Limits {
	const mib = 1 << 20
	for _, f := range []struct {
		field *int64
		value int64
	}{{&l.Blob, 64 * mib}, {&l.File, 64 * mib}, {&l.Total, 512 * mib}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if l.Files == 0 {
		l.Files = 10_000
	}
	return l
}
