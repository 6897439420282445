# SPDX-License-Identifier: Apache-2.0
#
# The programs of the last release for Nix, as release.json records it:
#
#   nix run github:kubectl-timoni/kubectl-timoni -- version
{
  description = "Apply modules written in CUE, as plugins of kubectl";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      release = builtins.fromJSON (builtins.readFile ./release.json);
      platforms = {
        x86_64-linux = "linux_amd64";
        aarch64-linux = "linux_arm64";
        x86_64-darwin = "darwin_amd64";
        aarch64-darwin = "darwin_arm64";
      };
      package = system: program:
        let
          pkgs = nixpkgs.legacyPackages.${system};
          archive = "${program}_${release.version}_${platforms.${system}}.tar.gz";
        in
        pkgs.stdenvNoCC.mkDerivation {
          pname = program;
          version = nixpkgs.lib.removePrefix "v" release.version;
          src = pkgs.fetchurl {
            url = "${release.base}/${archive}";
            sha256 = release.archives.${archive};
          };
          sourceRoot = ".";
          dontFixup = true; # the programs are static, and signed for macOS by Go
          installPhase = ''
            find . -maxdepth 1 -type f -perm -u+x -exec install -Dm755 -t $out/bin {} +
            install -Dm644 -t $out/share/licenses/${program} LICENSE THIRD-PARTY-LICENSES
            test ! -d man || install -Dm644 -t $out/share/man/man1 man/*.1
          '';
          meta = {
            homepage = "https://github.com/kubectl-timoni/kubectl-timoni";
            license = nixpkgs.lib.licenses.asl20;
            mainProgram = program;
            platforms = builtins.attrNames platforms;
          };
        };
    in
    {
      packages = builtins.mapAttrs
        (system: _: rec {
          default = timoni;
          timoni = package system "kubectl-timoni";
          timoni-build = package system "kubectl-timoni-build";
          timoni-krm = package system "timoni-krm";
        })
        platforms;
    };
}
