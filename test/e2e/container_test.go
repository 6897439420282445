// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/rogpeppe/go-internal/testscript"
)

// engine is the variable of the test's environment that says where the container
// engine is: scripts have nothing of docker's own settings.
const engine = "DOCKER_HOST"

// condition says whether a condition of a script holds that testscript does not
// know: [container], that docker or what stands in for it reaches an engine.
// The client alone is on many machines.
func condition(name string) (bool, error) {
	if name != "container" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	if runtime.GOOS != "linux" {
		return false, nil // bin/timoni-krm is for another system
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	info := exec.CommandContext(ctx, "docker", "info")
	info.Env = []string{"PATH=" + os.Getenv("PATH"), engine + "=" + os.Getenv(engine)}
	return info.Run() == nil, nil
}

// containerImage packs bin/timoni-krm as 'make image' does and gives it to the
// container engine in both ways: $IMAGE is what it loaded from the tarball,
// $REMOTE the layout in the registry, from where it has not been pulled yet.
func containerImage(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "container-image")
	s := current(ts)
	ts.Setenv(engine, os.Getenv(engine))
	if version, err := exec.Command("docker", "--version").Output(); err == nil && strings.HasPrefix(string(version), "podman") {
		ts.Setenv("KPT_FN_RUNTIME", "podman") // kpt looks at docker's version
	}

	dir, repository := ts.MkAbs("image"), strings.TrimPrefix(ts.Getenv("REPO"), "oci://")+"/timoni-krm"
	program, err := exec.LookPath(filepath.Join(s.bin, "timoni-krm"))
	ts.Check(err)
	pack := exec.Command("go", "run", "./test/image/cmd/image", "-o", dir, "-push", repository, "-version", s.namespace, runtime.GOARCH+"="+program)
	pack.Dir = s.root
	out, err := pack.CombinedOutput()
	if err != nil {
		ts.Fatalf("%v: %s", err, out)
	}
	ts.Check(ts.Exec("docker", "load", "-i", dir+".tar"))
	image := "timoni-krm:" + s.namespace
	ts.Setenv("IMAGE", image)

	repo, err := name.NewRepository(repository)
	ts.Check(err)
	index, err := layout.ImageIndexFromPath(dir)
	ts.Check(err)
	digest, err := index.Digest()
	ts.Check(err)
	ts.Setenv("REMOTE", repo.Digest(digest.String()).String())
	ts.Defer(func() {
		_ = ts.Exec("docker", "rm", "--force", s.namespace) // of a script that failed
		_ = ts.Exec("docker", "rmi", "--force", image, ts.Getenv("REMOTE"))
	})
}
