import Glibc
import JSON
import PMSystem
import PMTestSupport

/// A registry of npm packages on a loopback port, in a folder of a test's project.
struct PackageRegistry {
    let project: TestProject
    private let program: Program

    /// Runs a test with the real npm and a registry of its own that offers packages.
    static func with(
        _ packages: [JSONValue], _ body: (TestProject, PackageRegistry) async throws -> Void
    ) async throws {
        try await TestProject.with { project in
            try project.write("registry/packages.json", JSONValue.array(packages).text)
            let registry = try PackageRegistry(project)
            defer { registry.end() }
            try await body(project, registry)
        }
    }

    private init(_ project: TestProject) throws {
        self.project = project
        program = try project.start(
            ["node", TestPaths.fixture("registry/registry.mjs"), "\(project.directory)/registry"])
        guard program.waitForOutput("listening") else { throw TestFailure("the registry does not start") }
        try project.write(".npmrc", "registry=\(try url)\n\(Self.settings)")
    }

    static let settings = "fetch-retries=0\naudit=false\nfund=false\nupdate-notifier=false\n"

    var url: String { get throws { "http://127.0.0.1:\(try project.read("registry/port"))/" } }

    /// Offers other packages.
    func offer(_ packages: [JSONValue]) throws {
        try project.write("registry/packages.json", JSONValue.array(packages).text)
    }

    /// True when somebody has asked for what has this text.
    func wasAsked(for text: String) -> Bool {
        (try? project.read("registry/requests"))?.contains(text) ?? false  // there is no file before the first request
    }

    func end() {
        program.signal(SIGKILL)
        _ = program.wait()
    }

    /// A package with one program that says `up` and its version, and stays.
    static func service(
        _ name: String, _ version: String, bin: String = "svc", adding members: JSONObject = [:]
    ) -> JSONValue {
        let text = "console.log('up \(version)'); setInterval(() => {}, 1000);"
        var all: JSONObject = [
            "name": .string(name), "version": .string(version), "bin": .object([bin: "./run.js"]),
            "files": ["run.js": .string(text)],
        ]
        for (key, value) in members { all[key] = value }
        return .object(all)
    }

    /// A package that only others use.
    static func library(_ name: String, _ version: String = "1.0.0") -> JSONValue {
        [
            "name": .string(name), "version": .string(version),
            "files": ["lib.js": "module.exports = 1;"],
        ]
    }
}

extension TestProject {
    /// What an install that fails must not change: the folder's names, the installed files, the configuration.
    func packageState() throws -> String {
        let script =
            "ls -A; cat package.json package-lock.json .pm.config.json 2>/dev/null; find node_modules -type f 2>/dev/null | sort | xargs -r cksum"
        return try run(["sh", "-c", script]).output
    }
}
