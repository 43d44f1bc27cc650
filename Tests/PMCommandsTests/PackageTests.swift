import PMAPI
import PMModel
import Testing

@testable import PMCommands

@Suite struct `Packages of a command line` {
    @Test(
        arguments: [
            ("svc", "svc", nil), ("svc@1", "svc", "1"), ("@my/svc", "@my/svc", nil),
            ("@my/svc@^1.2 || >3", "@my/svc", "^1.2 || >3"),
            ("svc@next", "svc", "next"),
        ] as [(String, String, String?)])
    func `have a name and a range`(text: String, name: String, range: String?) {
        let spec = PackageSpec(argument: text)
        #expect(spec == PackageSpec(name: name, range: range))
        #expect(spec?.text == text)
    }

    @Test(arguments: [
        "", "@", "@my", "@my/", "-g", "--global", ".", "..", "../svc", "/svc", "a/b", "a/b/c", "svc@", "svc@file:..",
        "svc@npm:x@1",
        "https://x/y", "node_modules", "a b", "a;b", "svc@$(id)", "@my/-x", "svc@1\n2",
    ])
    func `are nothing that a package manager takes for something else`(text: String) {
        #expect(PackageSpec(argument: text) == nil)
    }

    @Test func `come by the package manager that the project uses`() throws {
        #expect(try PackageManager.used(by: nil, files: []) == .npm)
        #expect(try PackageManager.used(by: nil, files: ["yarn.lock", "package-lock.json"]) == .yarn)
        #expect(try PackageManager.used(by: nil, files: ["pnpm-lock.yaml"]) == .pnpm)
        #expect(try PackageManager.used(by: "npm@10.1.0", files: ["yarn.lock"]) == .npm)
        #expect(throws: APIError.self) { try PackageManager.used(by: "other@1", files: []) }
    }

    @Test func `are words of their own for each package manager`() {
        let packages = [PackageSpec(name: "a", range: "^1"), PackageSpec(name: "@b/c")]
        #expect(PackageManager.npm.install(packages) == ["install", "--", "a@^1", "@b/c"])
        #expect(PackageManager.yarn.install(packages) == ["add", "a@^1", "@b/c"])
        #expect(PackageManager.pnpm.remove(["a"]) == ["remove", "a"])
        #expect(PackageManager.yarn.rebuild(["a"]) == nil)
    }

    @Test func `from folders need the place of the project`() throws {
        #expect(!PackageStage.needsPlace(nil))
        #expect(!PackageStage.needsPlace(["dependencies": ["a": "^1.0.0", "b": "npm:c@1"]]))
        #expect(PackageStage.needsPlace(["dependencies": ["a": "file:../a"]]))
        #expect(PackageStage.needsPlace(["devDependencies": ["a": "workspace:*"]]))
        #expect(PackageStage.needsPlace(["workspaces": ["packages/*"]]))
    }
}
