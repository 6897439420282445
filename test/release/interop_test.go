// SPDX-License-Identifier: Apache-2.0

package release_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/test/release"
)

const (
	module = "github.com/kubectl-timoni/kubectl-timoni"
	// Of the releases that tests make. From v2 on, Go wants another path of the module.
	tag = "v0.9.8"
)

// interop skips a test that takes long, or programs of other projects.
func interop(t *testing.T) {
	t.Helper()
	if os.Getenv("TIMONI_INTEROP") == "" {
		t.Skip("TIMONI_INTEROP=1 runs the tests with programs of other projects, and those that build a release")
	}
}

// TestReproducible builds a release of a tag in two directories, once with
// settings of a user, and holds that the archives and what describes them are the same, and of that version.
func TestReproducible(t *testing.T) {
	t.Parallel()
	interop(t)
	var sums [2]string
	for i, env := range [][]string{nil, {"GOAMD64=v3", "GOARM64=v8.2", "GOFLAGS=-tags=other"}} {
		dir := clone(t)
		platform := runtime.GOOS + "/" + runtime.GOARCH
		maker := filepath.Join(t.TempDir(), "release")
		run(t, dir, nil, "go", "build", "-o", maker, "./test/release/cmd/release")
		run(t, dir, env, maker, "dist", platform)
		dist := filepath.Join(dir, "dist")
		for _, name := range []string{"SHA256SUMS", release.RecordFile, "kubectl-timoni.rb", "index/plugins/timoni.yaml"} {
			data, err := os.ReadFile(filepath.Join(dist, name))
			if err != nil {
				t.Fatal(err)
			}
			sums[i] += name + "\n" + string(data)
		}
		sums[i] += run(t, filepath.Join(dist, "index"), nil, "git", "rev-parse", "HEAD")
		checkVersion(t, filepath.Join(dist, "bin", strings.ReplaceAll(platform, "/", "-")))
	}
	if diff := cmp.Diff(sums[0], sums[1]); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(sums[0], "kubectl-timoni_"+tag+"_") {
		t.Errorf("the archives are not of %s:\n%s", tag, sums[0])
	}
}

// TestGoInstall installs every program with the go command as from a module
// proxy, from no checkout.
func TestGoInstall(t *testing.T) {
	t.Parallel()
	interop(t)
	made, bin := t.TempDir(), t.TempDir()
	// The go command itself makes the files of a proxy, of a repository that it
	// takes for the one on GitHub.
	repository := []string{
		"GOMODCACHE=" + made, "GOPROXY=direct", "GOSUMDB=off", "GOFLAGS=-modcacherw", "GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=url.file://" + clone(t) + ".insteadOf", "GIT_CONFIG_VALUE_0=https://" + module,
	}
	outside := t.TempDir()
	run(t, outside, repository, "go", "list", "-m", "-versions", module)
	run(t, outside, repository, "go", "mod", "download", module+"@"+tag)

	cache := strings.TrimSpace(run(t, outside, nil, "go", "env", "GOMODCACHE"))
	proxy := strings.TrimSpace(run(t, outside, nil, "go", "env", "GOPROXY"))
	env := []string{
		"GOMODCACHE=" + t.TempDir(), "GOBIN=" + bin, "GOSUMDB=off", "GOFLAGS=-trimpath -modcacherw",
		"GOPROXY=file://" + made + "/cache/download,file://" + cache + "/cache/download," + proxy,
	}
	args := []string{"install", module + "/krmfn@latest"}
	for _, name := range programs(t) {
		if name != "timoni-krm" {
			args = append(args, module+"/plugins/"+name+"@latest")
		}
	}
	run(t, outside, env, "go", args...)
	run(t, outside, []string{"PATH=" + bin}, filepath.Join(bin, "krmfn"), "install")
	checkVersion(t, bin)
}

// checkVersion holds that all programs in a directory say that they are of the tag.
func checkVersion(t *testing.T, bin string) {
	t.Helper()
	var got struct {
		Version  string
		Binaries []struct{ Name, Version, Problem string }
	}
	out := run(t, bin, []string{"PATH=" + bin}, filepath.Join(bin, "kubectl-timoni"), "version", "-o", "json")
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	want := strings.TrimPrefix(tag, "v")
	for _, b := range got.Binaries {
		if b.Version != want || b.Problem != "" {
			t.Errorf("%s has the version %q, want %q: %s", b.Name, b.Version, want, b.Problem)
		}
	}
	if got.Version != want || len(got.Binaries) != len(programs(t))-1 {
		t.Errorf("the versions are %+v", got)
	}
}

// TestBillsOfMaterials holds that what 'make dist' says of an archive is true of
// the programs in it, and that the licence of each module comes with them.
func TestBillsOfMaterials(t *testing.T) {
	t.Parallel()
	interop(t)
	dist := filepath.Join(root, "dist")
	r, err := release.ReadRecord(filepath.Join(dist, release.RecordFile))
	if err != nil {
		t.Skipf("run 'make dist': %v", err)
	}
	for _, p := range release.Packages() {
		for _, target := range release.Targets() {
			bin := filepath.Join(dist, "bin", target.OS+"-"+target.Arch)
			data, err := os.ReadFile(filepath.Join(dist, p.Archive(r.Version, target)+".cdx.json"))
			if err != nil {
				t.Fatal(err)
			}
			texts, err := os.ReadFile(filepath.Join(bin, "licences-"+p.Name))
			if err != nil {
				t.Fatal(err)
			}
			checkMaterials(t, data, string(texts), bin, len(p.Programs(programs(t))))
		}
	}
}

// checkMaterials compares a bill of materials with the programs in bin, of which
// it must have a number.
func checkMaterials(t *testing.T, data []byte, texts, bin string, want int) {
	t.Helper()
	var bom struct {
		Components []struct {
			Type, Name, Version string
			Hashes              []struct{ Content string }
			Licenses            []struct{ License struct{ ID string } }
		}
	}
	if err := json.Unmarshal(data, &bom); err != nil {
		t.Fatal(err)
	}
	modules := 0
	for _, c := range bom.Components {
		if c.Type == "library" {
			modules++
			if len(c.Licenses) == 0 || c.Licenses[0].License.ID == "" || !strings.Contains(texts, "\n"+c.Name+" "+c.Version+" (") {
				t.Errorf("%s: no licence of %s %s", bin, c.Name, c.Version)
			}
			continue
		}
		want--
		sum, err := release.Sum(filepath.Join(bin, c.Name))
		if err != nil || len(c.Hashes) != 1 || c.Hashes[0].Content != sum {
			t.Errorf("%s: %s has the checksum %s: %v, not %v", bin, c.Name, sum, err, c.Hashes)
		}
	}
	if want != 0 || modules < 10 {
		t.Errorf("%s: %d programs too few, %d modules", bin, want, modules)
	}
}

// TestFormulaParses lets ruby parse the formula of the repository, and that of
// 'make dist' when there is one.
func TestFormulaParses(t *testing.T) {
	t.Parallel()
	interop(t)
	dir, lib := debian(t, "ruby", "ruby3.1", "libruby3.1", "libgmp10")
	env := []string{"LD_LIBRARY_PATH=" + lib, "RUBYLIB=" + dir + "/usr/lib/ruby/3.1.0:" + lib + "/ruby/3.1.0"}
	for _, path := range []string{release.FormulaFile, "dist/kubectl-timoni.rb"} {
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			continue
		}
		out := run(t, root, env, filepath.Join(dir, "usr", "bin", "ruby3.1"), "--disable-gems", "-wc", path)
		if out != "Syntax OK\n" {
			t.Errorf("%s: %s", path, out)
		}
	}
}

// TestFlake lets Nix evaluate the flake, with the functions of nixpkgs that
// download and unpack left out, and compares what it would download with the
// record.
func TestFlake(t *testing.T) {
	t.Parallel()
	interop(t)
	dir, lib := debian(t, "nix", "nix-bin", "libarchive13", "libboost-context1.74.0", "libbrotli1", "libcpuid16",
		"libcurl3-gnutls", "libgc1", "libseccomp2", "libsodium23", "libsqlite3-0")
	home := t.TempDir()
	env := []string{
		"LD_LIBRARY_PATH=" + lib + ":" + dir + "/usr/lib/nix", "HOME=" + home,
		"NIX_STATE_DIR=" + home, "NIX_LOG_DIR=" + home, "NIX_CONF_DIR=" + home, "NIX_STORE_DIR=" + home + "/store",
	}
	nix := filepath.Join(dir, "usr", "bin", "nix-instantiate")
	run(t, root, env, nix, "--store", "dummy://", "--parse", "flake.nix")
	out := run(t, root, env, nix, "--store", "dummy://", "--eval", "--strict", "--json", "test/release/testdata/flake.nix")
	var downloads []struct{ URL, Sha256 string }
	if err := json.Unmarshal([]byte(out), &downloads); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, err := release.ReadRecord(filepath.Join(root, release.RecordFile))
	if err != nil {
		t.Fatal(err)
	}
	got, want := map[string]string{}, map[string]string{}
	for _, d := range downloads {
		got[d.URL] = d.Sha256
	}
	for name, sum := range r.Archives {
		if !strings.Contains(name, "windows") {
			want[r.Base+"/"+name] = sum
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("downloads (-want +got):\n%s", diff)
	}
}

// debian unpacks packages of Debian and returns their directory and that of the
// libraries in it.
func debian(t *testing.T, name string, packages ...string) (dir, lib string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), ".ci/debian", append([]string{name}, packages...)...)
	cmd.Dir = root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("%s is not available: %s", name, stderr.String())
	}
	dir = strings.TrimSpace(string(out))
	libs, err := filepath.Glob(filepath.Join(dir, "usr", "lib", "*-linux-gnu"))
	if err != nil || len(libs) != 1 {
		t.Fatalf("the libraries are in %s: %v", libs, err)
	}
	return dir, libs[0]
}

// clone returns a clone of what is committed, which has the tag.
func clone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	from, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if exec.CommandContext(t.Context(), "git", "-C", from, "rev-parse", "HEAD").Run() != nil {
		t.Skip("this is no git checkout")
	}
	run(t, from, nil, "git", "clone", "-q", "--no-tags", from, dir)
	run(t, dir, nil, "git", "tag", tag)
	return dir
}

// run runs a program in a directory and returns what it prints.
func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	// The cache of the gate is used, which is of packages without paths.
	cmd.Env = slices.Concat(os.Environ(), []string{"CGO_ENABLED=0", "GOFLAGS=-trimpath", "GOWORK=off"}, env)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// TestInstallRelease installs from a server of releases, as action.yml does.
func TestInstallRelease(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("bash is not everywhere there")
	}
	site, p := t.TempDir(), release.Packages()[1]
	dist := filepath.Join(site, "v1.2.3")
	archive := pack(t, p, release.Target{OS: runtime.GOOS, Arch: runtime.GOARCH}, dist)
	r, err := release.Collect(dist, "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if err = r.Write(t.Context(), dist, programs(t)); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(site)))
	t.Cleanup(server.Close)
	install := func(env ...string) (string, error) {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), ".ci/install-release", dir)
		cmd.Dir, cmd.Env = root, append(os.Environ(), append([]string{"PACKAGE=" + p.Program, "RELEASES=" + server.URL, "VERSION=v1.2.3"}, env...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return string(out), err
		}
		text, err := os.ReadFile(filepath.Join(dir, p.Program))
		return string(text), err
	}
	want := p.Program + runtime.GOOS + "/" + runtime.GOARCH
	// An action that a tag names installs that release.
	for _, env := range [][]string{nil, {"ARCHIVE=" + archive}, {"VERSION=", "REF=v1.2.3"}, {"REF=v9.9.9"}} {
		if got, err := install(env...); err != nil || got != want {
			t.Errorf("%s: installed %q: %v, want %q", env, got, err, want)
		}
	}
	if err = os.WriteFile(archive, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	for env, want := range map[string]string{
		"":                     "has another checksum than SHA256SUMS says",
		"VERSION=v0.0.0-devel": "there is no release yet",
		"VERSION=v2.0.0":       "download " + server.URL + "/v2.0.0/",
	} {
		if got, err := install(env); err == nil || !strings.Contains(got, want) {
			t.Errorf("%s: got %q: %v, want %q", env, got, err, want)
		}
	}
}
