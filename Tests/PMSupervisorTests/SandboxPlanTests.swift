import PMModel
import PMSystem
import Testing

@testable import PMSupervisor

/// What sandboxes do to the file system, decided without touching one.
@Suite struct SandboxPlanTests {
    /// A machine where these exist, `/bin` and `/lib` being links into `/usr`.
    private func resolve(_ path: String) -> String? {
        switch path {
        case "/bin", "/lib": "/usr" + path
        case "/lib32", "/lib64", "/libx32", "/sbin", "/efi": nil
        case let gone where gone.hasPrefix("/gone"): nil
        case let other: other
        }
    }

    private func mounts(_ plan: SandboxPlan) throws -> [SpawnSandbox.Mount] {
        try #require(try plan.sandbox(resolve: resolve)).mounts
    }

    @Test func `none is none`() throws {
        #expect(try SandboxPlan(preset: .none).sandbox(resolve: resolve) == nil)
    }

    @Test func `basic makes the system and homes read-only, and tmp its own`() throws {
        #expect(
            try mounts(SandboxPlan(preset: .basic)) == [
                .readOnly("/boot"), .readOnly("/etc"), .readOnly("/home"), .readOnly("/root"), .readOnly("/run/user"),
                .readOnly("/usr"), .temporary("/tmp"), .temporary("/var/tmp"),
            ])
    }

    @Test func `strict leaves nothing writable but what it is told`() throws {
        let plan = SandboxPlan(preset: .strict, writable: ["/var/lib/web"], directory: "/srv/web/data")
        #expect(
            try mounts(plan) == [
                .readOnly("/"), .hidden("/home"), .hidden("/root"), .hidden("/run/user"), .temporary("/tmp"),
                .temporary("/var/tmp"), .keptWritable("/dev"), .keptWritable("/proc"), .keptWritable("/srv/web/data"),
                .keptWritable("/var/lib/web"),
            ])
    }

    @Test func `what it reads stays visible where things are hidden, the outer before the inner`() throws {
        let plan = SandboxPlan(
            preset: .strict, directory: "/home/me/app/data",
            visible: ["/home/me/app", "/usr/lib/pm", "/tmp/x", "/gone"])
        let kept = try mounts(plan).drop { $0 != .keptWritable("/dev") }
        #expect(
            Array(kept) == [
                .keptWritable("/dev"), .kept("/home/me/app"), .keptWritable("/home/me/app/data"),
                .keptWritable("/proc"),
                .kept("/tmp/x"),
            ])
    }

    @Test func `basic keeps a working directory in a home or in tmp writable, and others as they are`() throws {
        var plan = SandboxPlan(preset: .basic, directory: "/home/me/app")
        #expect(try mounts(plan).last == .keptWritable("/home/me/app"))
        plan.directory = "/tmp/app"
        #expect(try mounts(plan).last == .keptWritable("/tmp/app"))
        plan.directory = "/srv/app"
        #expect(try mounts(plan).last == .temporary("/var/tmp"))
    }

    @Test func `a working directory above what is taken away does not give it back`() throws {
        for directory in ["/", "/tmp", "/var", "/home"] {
            let plan = SandboxPlan(preset: .strict, directory: directory)
            #expect(try !mounts(plan).contains(.keptWritable(directory)), "\(directory)")
        }
    }

    @Test(arguments: [
        ("/", "would show /tmp"), ("/var", "would show /var/tmp"), ("/tmp", "would show"), ("/gone", "make it"),
    ])
    func `what may not be writable is refused`(path: String, message: String) {
        let error = #expect(throws: LaunchError.self) {
            try SandboxPlan(preset: .strict, writable: [path]).sandbox(resolve: resolve)
        }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `rights go with the preset, and namespaces of users with the daemon's`() throws {
        let strict = try #require(try SandboxPlan(preset: .strict).sandbox(resolve: resolve))
        let basic = try #require(try SandboxPlan(preset: .basic, isRoot: false).sandbox(resolve: resolve))
        #expect(strict.isFiltered && strict.dropsCapabilities && !strict.hasUserNamespace)
        #expect(!basic.isFiltered && !basic.dropsCapabilities && basic.hasUserNamespace)
    }
}
