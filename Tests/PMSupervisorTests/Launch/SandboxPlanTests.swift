import PMAPI
import PMModel
import PMSystem
import Testing

@testable import PMSupervisor

/// What sandboxes do to the file system, decided without touching one.
@Suite struct SandboxPlanTests {
    /// A machine where these exist, `/bin` and `/lib` being links into `/usr`.
    private static func resolve(_ path: String) -> String? {
        switch path {
        case "/bin", "/lib": "/usr" + path
        case "/lib32", "/lib64", "/libx32", "/sbin", "/efi", "/proc/dynamic_debug", "/proc/mtrr": nil
        case let gone where gone.hasPrefix("/gone"): nil
        case let other: other
        }
    }

    /// All are directories of root, but for those of user 33 below `/srv/web` and of user 1000 below `/home/me`.
    private static func look(_ path: String) -> SandboxPath.Entry? {
        if path.hasPrefix("/gone") { return nil }
        if path.hasPrefix("/srv/web/") { return .directory(owner: 33, mode: 0o755) }
        if path.hasPrefix("/home/me") { return .directory(owner: 1000, mode: 0o755) }
        return .directory(owner: 0, mode: path == "/tmp" ? 0o1777 : 0o755)
    }

    private static var machine: SandboxPlan.Machine { SandboxPlan.Machine(resolve: resolve, look: look) }

    private func mounts(
        _ plan: SandboxPlan, links: [String: String] = [:], of resolved: [String: String] = [:]
    ) throws -> [SpawnSandbox.Mount] {
        let resolve: (String) -> String? = { resolved[$0] ?? Self.resolve($0) }
        let look: (String) -> SandboxPath.Entry? = { path in
            links[path].map { .link(to: $0) } ?? Self.look(path)
        }
        return try #require(try plan.sandbox(on: SandboxPlan.Machine(resolve: resolve, look: look))).mounts
    }

    /// What is done everywhere, and is of no interest to most of these tests.
    private static let everywhere = [SpawnSandbox.Mount.devices("/dev")] + SandboxPlan.masked.map { .masked($0) }

    private func changes(_ plan: SandboxPlan, links: [String: String] = [:]) throws -> [SpawnSandbox.Mount] {
        try mounts(plan, links: links).filter { !Self.everywhere.contains($0) }
    }

    @Test func `none is none`() throws {
        #expect(try SandboxPlan(preset: .none).sandbox(on: Self.machine) == nil)
    }

    @Test func `basic makes the system, homes and the kernel's switches read-only, and tmp its own`() throws {
        #expect(
            try changes(SandboxPlan(preset: .basic)) == [
                .readOnly("/boot"), .readOnly("/etc"), .readOnly("/home"), .readOnly("/proc/bus"),
                .readOnly("/proc/driver"), .readOnly("/proc/fs"), .readOnly("/proc/irq"), .readOnly("/proc/sys"),
                .readOnly("/proc/sysrq-trigger"), .readOnly("/root"), .readOnly("/run/user"), .readOnly("/sys"),
                .readOnly("/usr"), .temporary("/tmp"), .temporary("/var/tmp"),
            ])
    }

    @Test func `strict leaves nothing writable but what it is told`() throws {
        let plan = SandboxPlan(preset: .strict, writable: ["/var/lib/web"], directory: "/srv/web/data")
        #expect(
            try changes(plan) == [
                .readOnly("/"), .hidden("/home"), .hidden("/root"), .hidden("/run/user"), .temporary("/tmp"),
                .temporary("/var/tmp"), .keptWritable("/srv/web/data"), .keptWritable("/var/lib/web"),
            ])
    }

    @Test(arguments: [Sandbox.Preset.basic, .strict])
    func `devices are its own, and what tells of the kernel is masked, whatever the preset`(
        preset: Sandbox.Preset
    ) throws {
        let all = try mounts(SandboxPlan(preset: preset, writable: ["/dev/dri"]))
        for mount in Self.everywhere { #expect(all.contains(mount), "\(mount)") }
        #expect(all.last == .keptWritable("/dev/dri"))
        for path in [
            "/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware",
        ] {
            #expect(all.contains(.masked(path)), "\(path)")
        }
    }

    @Test func `what it reads stays visible where things are hidden, the outer before the inner`() throws {
        let plan = SandboxPlan(
            preset: .strict, directory: "/home/me/app/data",
            visible: ["/home/me/app", "/usr/lib/pm", "/tmp/x", "/gone"])
        let kept = try changes(plan).drop { $0 != .temporary("/var/tmp") }.dropFirst()
        #expect(Array(kept) == [.kept("/home/me/app"), .keptWritable("/home/me/app/data"), .kept("/tmp/x")])
    }

    @Test func `basic keeps a working directory in a home or in tmp writable, and others as they are`() throws {
        var plan = SandboxPlan(preset: .basic, directory: "/home/me/app")
        #expect(try changes(plan).last == .keptWritable("/home/me/app"))
        plan.directory = "/tmp/app"
        #expect(try changes(plan).last == .keptWritable("/tmp/app"))
        plan.directory = "/srv/app"
        #expect(try changes(plan).last == .temporary("/var/tmp"))
    }

    @Test func `a working directory above what is taken away does not give it back`() throws {
        for directory in ["/", "/tmp", "/var", "/home"] {
            let plan = SandboxPlan(preset: .strict, directory: directory)
            #expect(try !mounts(plan).contains(.keptWritable(directory)), "\(directory)")
        }
    }

    @Test(arguments: [
        ("/", "would show /tmp"), ("/var", "would show /var/tmp"), ("/tmp", "would show"), ("/gone", "make it"),
        ("/dev", "would show /dev"), ("/proc", "would show /proc/acpi"),
        ("/sys/kernel", "would show /sys/kernel/debug"),
    ])
    func `what may not be writable is refused`(path: String, message: String) {
        let error = #expect(throws: SpawnFailure.self) {
            try SandboxPlan(preset: .strict, writable: [path]).sandbox(on: Self.machine)
        }
        #expect(error?.key?.name == "sandbox.writable" && error?.object == path, "\(String(describing: error))")
        #expect(error?.sentence.contains(message) == true, "\(error?.sentence ?? "")")
    }

    @Test func `rights go with the preset, and namespaces of users with the daemon's`() throws {
        func sandbox(_ plan: SandboxPlan) throws -> SpawnSandbox {
            try #require(try plan.sandbox(on: Self.machine))
        }
        let strict = try sandbox(SandboxPlan(preset: .strict))
        let basic = try sandbox(SandboxPlan(preset: .basic, user: 1000, daemonUser: 1000))
        #expect(strict.filter == .allowList && strict.dropsCapabilities && !strict.hasUserNamespace)
        #expect(basic.filter == .none && !basic.dropsCapabilities && basic.hasUserNamespace)
        #expect(try sandbox(SandboxPlan(preset: .strict, systemCalls: .denyList)).filter == .denyList)
    }

    // MARK: links

    @Test func `links that only root can have made are followed`() throws {
        let plan = SandboxPlan(preset: .strict, writable: ["/var/run/web"], user: 33)
        #expect(try changes(plan, links: ["/var/run": "/run"]).last == .keptWritable("/run/web"))
        #expect(try changes(plan, links: ["/var/run": "../run/./x/.."]).last == .keptWritable("/run/web"))
    }

    @Test(arguments: [
        // Its own directory, further down in one, one that others may write.
        ("/srv/web/data", "/srv/web/data"), ("/srv/web/data/inner", "/srv/web/data/inner"), ("/tmp/x/y", "/tmp/x"),
    ])
    func `links that the service can have made are refused`(path: String, link: String) {
        let plan = SandboxPlan(preset: .strict, writable: [path], user: 33)
        var owned = [link: "/home/victim"]
        owned["/srv/web"] = nil
        let look: (String) -> SandboxPath.Entry? = { asked in
            if asked == "/srv/web" { return .directory(owner: 33, mode: 0o755) }
            return owned[asked].map { .link(to: $0) } ?? Self.look(asked)
        }
        let error = #expect(throws: SpawnFailure.self) {
            try plan.sandbox(on: SandboxPlan.Machine(resolve: Self.resolve, look: look))
        }
        #expect(
            error?.sentence.hasPrefix("mapping..sandbox.writable: \(path): \(link) is a link (to /home/victim)")
                == true,
            "\(error?.sentence ?? "")")
    }

    @Test func `a link below a directory that the service can write leads nowhere, even one of root's`() throws {
        var place = SandboxPath(writer: .user(33)) { path in
            switch path {
            case "/srv/web": .directory(owner: 33, mode: 0o755)
            case "/srv/web/theirs": .directory(owner: 0, mode: 0o755)
            case "/srv/web/theirs/link": .link(to: "/etc")
            default: Self.look(path)
            }
        }
        #expect(throws: SpawnFailure.self) { try place.resolve("/srv/web/theirs/link") }
        place.writer = .user(44)
        #expect(try place.resolve("/srv/web/theirs/link") == "/etc")
        place.writer = .daemon(user: 33) { !$0.hasPrefix("/srv") }
        #expect(try place.resolve("/srv/web/theirs/link") == "/etc")
        place.writer = .daemon(user: 33) { $0.hasPrefix("/srv") }
        #expect(throws: SpawnFailure.self) { try place.resolve("/srv/web/theirs/link") }
    }

    @Test func `a circle of links is nothing`() throws {
        let place = SandboxPath(writer: .user(33)) { path in
            path == "/a" ? .link(to: "/b") : path == "/b" ? .link(to: "a") : Self.look(path)
        }
        #expect(try place.resolve("/a") == nil)
    }

    @Test func `the daemon's user may have links where the sandbox leaves nothing writable`() throws {
        var plan = SandboxPlan(preset: .strict, directory: "/home/me/current", user: 1000, daemonUser: 1000)
        let links = ["/home/me/current": "releases/7"]
        #expect(try changes(plan, links: links).last == .keptWritable("/home/me/releases/7"))
        plan.writable = ["/home/me"]
        #expect(throws: SpawnFailure.self) { try changes(plan, links: links) }
    }

    @Test func `where a program's link leads is shown only when the service did not make the link`() throws {
        let links = ["/home/me/bin/tool": "/home/other/bin/tool"]
        var plan = SandboxPlan(preset: .strict, program: "/home/me/bin/tool", user: 33)
        let resolved = ["/home/me/bin/tool": "/home/other/bin/tool"]
        #expect(try mounts(plan, links: links, of: resolved).last == .kept("/home/other/bin"))
        plan.user = 1000
        #expect(throws: SpawnFailure.self) { try mounts(plan, links: links, of: resolved) }
    }
}
