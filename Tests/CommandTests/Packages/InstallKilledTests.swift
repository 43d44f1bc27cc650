import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm install that is killed` {
    private typealias Registry = PackageRegistry

    @Test func `changes nothing when its package manager is killed`() async throws {
        let packages = [
            Registry.service("good", "1.0.0"), Registry.service("slow", "1.0.0", bin: "b", adding: ["fault": "hang"]),
        ]
        try await Registry.with(packages) { project, registry in
            try project.must("install", "good")
            let before = try project.packageState()
            let running = try project.start([TestPaths.pm, "install", "slow"])
            try until("npm asks for the package") { registry.wasAsked(for: "slow/-/1.0.0.tgz") }
            for pid in project.processes() where project.isNPM(pid) { kill(pid, SIGKILL) }
            let outcome = running.wait()
            #expect(outcome.code == 1 && outcome.errors.contains("the packages are as before"), "\(outcome)")
            #expect(try project.packageState() == before)
        }
    }

    /// pm is ended at the beginning of each call that moves or removes a file: before, between and after the steps in which old
    /// and new packages change places.
    @Test(.enabled(if: Tracer.isPossible))
    func `leaves whole packages when pm is killed between any two steps`() async throws {
        let services = ["1.0.0", "2.0.0"].map { Registry.service("svc", $0) }
        try await Registry.with(services + [Registry.library("other")]) { project, _ in
            try project.must("install", "svc@1.0.0")
            try project.keep()
            var versions: [String] = []
            for call in ["rename", "renameat2", "unlink"] {
                for number in 1...40 {
                    try project.putBack()
                    let inject = "inject=\(call):signal=KILL:when=\(number)"
                    let outcome = try project.run(
                        ["strace", "-o", "/dev/null", "-e", inject, TestPaths.pm, "install", "svc@2.0.0"])
                    guard outcome.code != 0 else { break }
                    try #require(number < 40, "\(call) is called for ever")
                    #expect(outcome.code == 128 + SIGKILL || outcome.code == SIGKILL, "\(call) \(number): \(outcome)")
                    // At once: what runs from there finds whole files of one version.
                    _ = try project.installed("svc")
                    try project.must("install", "other")
                    let version = try project.installed("svc")
                    let lock = try JSONValue(parsing: try project.read("package-lock.json"))
                    #expect(lock["packages"]?["node_modules/svc"]?["version"]?.string == version, "\(call) \(number)")
                    let wanted = try JSONValue(parsing: try project.read("package.json"))["dependencies"]
                    let isWanted = wanted?["svc"]?.string?.hasSuffix(version) == true
                    #expect(isWanted, "\(call) \(number): \(wanted?.text ?? "")")
                    #expect(try !project.packageState().contains(".pm-packages"))
                    versions.append(version)
                }
            }
            #expect(Set(versions) == ["1.0.0", "2.0.0"], "\(versions)")
            #expect(versions.count >= 6, "\(versions)")
        }
    }
}

extension TestProject {
    fileprivate func isNPM(_ pid: pid_t) -> Bool {
        guard let words = try? Files.read("/proc/\(pid)/cmdline") else { return false }  // it may have ended
        return String(decoding: words, as: UTF8.self).hasPrefix("npm ")
    }

    private static let items = "node_modules package.json package-lock.json .pm.config.json"

    fileprivate func keep() throws {
        let outcome = try run(["sh", "-c", "mkdir ../kept && cp -a \(Self.items) ../kept/"])
        if outcome.code != 0 { throw TestFailure("\(outcome)") }
    }

    fileprivate func putBack() throws {
        let outcome = try run(["sh", "-c", "rm -rf .pm-packages \(Self.items) && cp -a ../kept/. ."])
        if outcome.code != 0 { throw TestFailure("\(outcome)") }
    }

    /// The version of a package, whose program is that of the same version.
    fileprivate func installed(_ name: String) throws -> String {
        let manifest = try JSONValue(parsing: try read("node_modules/\(name)/package.json"))
        let version = manifest["version"]?.string ?? "none"
        let program = try read("node_modules/\(name)/run.js")
        guard program.contains("up \(version)") else { throw TestFailure("\(version) has the program \(program)") }
        return version
    }
}
