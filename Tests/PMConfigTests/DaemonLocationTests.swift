import PMModel
import Testing

@testable import PMConfig

@Suite struct DaemonLocationTests {
    @Test func `the nearest configuration upwards is the project's`() throws {
        let files = FakeFiles("/srv/app/.pm.config.json", "/srv/.pm.config.json", "/etc/pm/.pm.config.json")
        let found = try #require(try DaemonLocation.find(.nearest, in: context(files, at: "/srv/app/src/deep")))
        #expect(found.scope == .project)
        #expect(found.configFile == "/srv/app/.pm.config.json")
        #expect(found.configDirectory == "/srv/app")
        #expect(found.socketPath == "/srv/app/pm.sock")
        #expect(found.socketURL == "jsonrpc+unix:///srv/app/pm.sock")
        #expect(found.hasConfigFile)
    }

    @Test func `the state directory is named after the folder and the real path's hash`() throws {
        let found = try #require(try DaemonLocation.find(.nearest, in: context(FakeFiles("/srv/app/.pm.config.json"))))
        #expect(found.marker == Fingerprint(of: "/srv/app/.pm.config.json").digits)
        #expect(found.marker.utf8.count == 16)
        #expect(found.stateDirectory == "/home/ada/.local/state/pm/app-\(found.marker)")
        #expect(found.lockPath == found.stateDirectory + "/lock")
    }

    @Test func `the root folder is searched too`() throws {
        let found = try #require(try DaemonLocation.find(.nearest, in: context(FakeFiles("/.pm.config.json"))))
        #expect(found.configFile == "/.pm.config.json")
        #expect(found.socketPath == "/pm.sock")
    }

    @Test func `a package.json keeps its project out of the user's daemon`() throws {
        let user = "/home/ada/.config/pm/.pm.config.json"
        let files = FakeFiles(user, "/etc/pm/.pm.config.json", "/home/ada/app/package.json", "/home/ada/package.json")
        let found = try #require(try DaemonLocation.find(.nearest, in: context(files, at: "/home/ada/app/src")))
        #expect(found.scope == .project && !found.hasConfigFile && found.configFile == "/home/ada/app/.pm.config.json")
        #expect(found.passedOver.map(\.file) == [user])
        #expect(try DaemonLocation.find(.nearest, in: context(files, at: "/home/ada/other"))?.scope == .user)
        let system = FakeFiles("/etc/pm/.pm.config.json", "/home/ada/app/package.json")
        #expect(try DaemonLocation.find(.nearest, in: context(system, at: "/home/ada/app"))?.scope == .system)
    }

    @Test(arguments: [
        ("/srv/app/.git", true), ("/srv/.hg", true), ("/.jj", true), ("/srv/app/sub/.git", false),
        ("/srv/app/git", false),
    ])
    func `a working copy is a folder with its mark, or below one`(mark: String, isOne: Bool) {
        #expect(VersionControl.holds("/srv/app/.pm.config.json") { $0 == mark } == isOne)
    }

    @Test func `without one upwards the user's and then the system's is taken`() throws {
        let user = "/home/ada/.config/pm/.pm.config.json"
        let both = FakeFiles(user, "/etc/pm/.pm.config.json")
        let found = try #require(try DaemonLocation.find(.nearest, in: context(both)))
        #expect(found.scope == .user)
        #expect(found.configFile == user)
        #expect(found.stateDirectory == "/home/ada/.local/state/pm/user")
        #expect(found.socketPath == "/tmp/pm-1000/pm.sock")

        let system = try DaemonLocation.find(.nearest, in: context(FakeFiles("/etc/pm/.pm.config.json")))
        #expect(system?.scope == .system)
        #expect(system?.stateDirectory == "/var/lib/pm")
        #expect(system?.socketPath == "/run/pm/pm.sock")
        #expect(try DaemonLocation.find(.nearest, in: context(FakeFiles())) == nil)
    }

    @Test func `the XDG variables move the user's files and relative ones are ignored`() throws {
        var environment = [
            "HOME": "/home/ada", "XDG_CONFIG_HOME": "/cfg", "XDG_STATE_HOME": "/state",
            "XDG_RUNTIME_DIR": "/run/user/1000",
        ]
        let moved = try #require(
            try DaemonLocation.find(.user, in: context(FakeFiles(), environment: environment)))
        #expect(moved.configFile == "/cfg/pm/.pm.config.json")
        #expect(moved.stateDirectory == "/state/pm/user")
        #expect(moved.socketPath == "/run/user/1000/pm/pm.sock")
        #expect(!moved.hasConfigFile)

        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] { environment[name] = "relative" }
        let kept = try #require(try DaemonLocation.find(.user, in: context(FakeFiles(), environment: environment)))
        #expect(kept.configFile == "/home/ada/.config/pm/.pm.config.json")
        #expect(kept.socketPath == "/tmp/pm-1000/pm.sock")
    }

    @Test func `PM_STATE_DIR moves the state directory of any scope`() throws {
        let environment = ["HOME": "/home/ada", "PM_STATE_DIR": "state"]
        for selection in [DaemonSelection.user, .system, .file("/srv/app/x.json")] {
            let found = try DaemonLocation.find(selection, in: context(FakeFiles(), environment: environment))
            #expect(found?.stateDirectory == "/srv/app/state")
        }
    }

    @Test func `a file named by hand is taken whether it exists or not`() throws {
        var files = FakeFiles("/srv/app/other.json")
        files.files["/srv/app/conf"] = FileFacts(kind: .directory)
        let cases = [
            ("other.json", "/srv/app/other.json", true), ("../new.json", "/srv/new.json", false),
            ("file:///srv/app/other.json", "/srv/app/other.json", true),
            ("conf", "/srv/app/conf/.pm.config.json", false),
        ]
        for (given, expected, exists) in cases {
            let found = try #require(try DaemonLocation.find(.file(given), in: context(files)))
            #expect(found.configFile == expected)
            #expect(found.hasConfigFile == exists)
            #expect(found.scope == .project)
        }
    }

    @Test func `the user's and the system's file keep their scope when named by hand or found upwards`() throws {
        let user = "/home/ada/.config/pm/.pm.config.json"
        let files = FakeFiles(user)
        #expect(try DaemonLocation.find(.file(user), in: context(files))?.scope == .user)
        #expect(try DaemonLocation.find(.nearest, in: context(files, at: "/home/ada/.config/pm/x"))?.scope == .user)
        var system = FakeFiles("/etc/pm/.pm.config.json")
        system.files["/etc/pm"] = FileFacts(kind: .directory)
        #expect(try DaemonLocation.find(.file("/etc/pm"), in: context(system))?.scope == .system)
    }

    @Test func `a symbolic link leads to the daemon of the real file`() throws {
        var files = FakeFiles("/data/web.json")
        files.links["/srv/app/.pm.config.json"] = "/data/web.json"
        let linked = try DaemonLocation.find(.nearest, in: context(files))
        #expect(linked?.configFile == "/data/web.json")
        #expect(linked == (try DaemonLocation.find(.file("/data/web.json"), in: context(files))))
    }

    @Test func `starting where no configuration stands upwards makes one in the working directory`() throws {
        let files = FakeFiles("/home/ada/.config/pm/.pm.config.json")
        let found = try DaemonLocation.findForStart(.nearest, in: context(files))
        #expect(found.configFile == "/srv/app/.pm.config.json")
        #expect(!found.hasConfigFile)
        #expect(try DaemonLocation.findForStart(.user, in: context(files)).scope == .user)
    }

    @Test func `a folder too deep for a socket uses the runtime directory`() throws {
        let deep = "/srv/" + String(repeating: "d", count: 95)
        let fits = try DaemonLocation.find(.file(deep + "/x.json"), in: context(FakeFiles()))
        #expect(fits?.socketPath == "/tmp/pm-1000/\(fits?.marker ?? "").sock")
        let edge = "/" + String(repeating: "d", count: 98)
        #expect(
            try DaemonLocation.find(.file(edge + "/x.json"), in: context(FakeFiles()))?.socketPath == edge + "/pm.sock")
        let environment = ["HOME": "/h", "XDG_RUNTIME_DIR": deep]
        #expect(throws: ConfigError.self) {
            try DaemonLocation.find(.user, in: context(FakeFiles(), environment: environment))
        }
    }

    @Test func `a folder that takes no socket uses the runtime directory`() throws {
        var files = FakeFiles("/srv/app/.pm.config.json")
        let beside = "/srv/app/pm.sock"
        func path() throws -> String? { try DaemonLocation.find(.nearest, in: context(files))?.socketPath }
        func start() throws -> String { try DaemonLocation.findForStart(.nearest, in: context(files)).socketPath }
        #expect(try path() == beside && start() == beside)
        let marker = try DaemonLocation.find(.nearest, in: context(files))?.marker ?? ""
        let inRuntime = "/tmp/pm-1000/\(marker).sock"
        // Read-only for this user: a client sees that, too.
        files.readOnly = ["/srv/app"]
        #expect(try path() == inRuntime && start() == inRuntime)
        // A socket that exists is the one: it is the daemon of another user, who may write there.
        files.files[beside] = FileFacts(kind: .other, owner: 1001)
        #expect(try path() == beside && start() == beside)
        // Only who tries sees that a file system takes no sockets; a client finds the one in the runtime directory.
        files = FakeFiles("/srv/app/.pm.config.json")
        files.withoutSockets = ["/srv/app"]
        #expect(try path() == beside && start() == inRuntime)
        files.files[inRuntime] = FileFacts(kind: .other, owner: 1000)
        #expect(try path() == inRuntime && start() == inRuntime)
    }

    @Test func `a socket path that a URL cannot hold is encoded`() throws {
        let found = try DaemonLocation.find(.file("/srv/my app/x.json"), in: context(FakeFiles()))
        #expect(found?.socketURL == "jsonrpc+unix:///srv/my%20app/pm.sock")
    }

    @Test func `the home directory comes from passwd when HOME is not set`() throws {
        var files = FakeFiles()
        files.text["/etc/passwd"] = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000:Ada,,,:/people/ada:/bin/sh\n"
        #expect(try context(files, environment: [:]).home() == "/people/ada")
        #expect(try context(files, environment: ["HOME": ""]).home() == "/people/ada")
        let nobody = LocationContext(environment: [:], workingDirectory: "/", userID: 4242, files: files)
        let error = #expect(throws: ConfigError.self) { try nobody.home() }
        #expect(error?.description.contains("user 4242") == true)
        #expect(error?.hint?.contains("HOME") == true)
    }

    @Test func `without a home the system's configuration is still found`() throws {
        let found = try DaemonLocation.find(
            .nearest, in: context(FakeFiles("/etc/pm/.pm.config.json"), environment: [:]))
        #expect(found?.scope == .system)
    }

    @Test func `a configuration planted in a folder anyone may write to is passed over`() throws {
        var files = FakeFiles("/etc/pm/.pm.config.json")
        files.files["/tmp"] = FileFacts(kind: .directory, owner: 0, mode: 0o1777)
        files.files["/tmp/.pm.config.json"] = FileFacts(kind: .regular, owner: 6666)
        let found = try DaemonLocation.find(.nearest, in: context(files, at: "/tmp/work"))
        #expect(found?.scope == .system)
        #expect(found?.passedOver.map(\.file) == ["/tmp/.pm.config.json"])
        files.files["/tmp/.pm.config.json"] = FileFacts(kind: .regular, owner: 1000)
        #expect(try DaemonLocation.find(.nearest, in: context(files, at: "/tmp/work"))?.scope == .project)
    }

    @Test func `what others could have written is found, but not run`() throws {
        var files = FakeFiles("/srv/app/.pm.config.json")
        #expect(try DaemonLocation.find(.nearest, in: context(files))?.distrust == nil)
        files.files["/srv/app"] = FileFacts(kind: .directory, owner: 1001, mode: 0o755)
        let found = try #require(try DaemonLocation.find(.nearest, in: context(files)))
        let file = "/srv/app/.pm.config.json"
        #expect(
            found.distrust?.message == "the programs of \(file) are not run as user 1000: /srv/app belongs to user 1001"
        )
        #expect(
            found.distrust?.hint == "to run them this time: pm start pm --config \(file); to trust the folder from "
                + "now on: mkdir -p /home/ada/.config/pm && echo /srv/app >>/home/ada/.config/pm/trusted")
        #expect(throws: ConfigError.self) { try found.requireTrust() }
        // Who names it means it.
        #expect(try DaemonLocation.find(.file("/srv/app"), in: context(files))?.distrust == nil)
        // The list, when nobody else could have written it.
        files.text["/home/ada/.config/pm/trusted"] = "# of ada\n/srv/app\n"
        #expect(try DaemonLocation.find(.nearest, in: context(files))?.distrust == nil)
        #expect(try DaemonLocation.findForStart(.nearest, in: context(files)).distrust == nil)
        files.files["/home/ada/.config/pm/trusted"] = FileFacts(kind: .regular, owner: 1000, mode: 0o666)
        #expect(try DaemonLocation.find(.nearest, in: context(files))?.distrust != nil)
    }

    @Test func `a new configuration is not begun in somebody else's folder, nor found through somebody's link`() throws
    {
        var files = FakeFiles()
        files.files["/srv/app"] = FileFacts(kind: .directory, owner: 1001, mode: 0o755)
        #expect(try DaemonLocation.findForStart(.nearest, in: context(files)).distrust != nil)
        var linked = FakeFiles("/data/web.json")
        linked.links["/srv/app/.pm.config.json"] = "/data/web.json"
        #expect(try DaemonLocation.find(.nearest, in: context(linked))?.distrust == nil)
        linked.linkOwner = 1001
        #expect(try DaemonLocation.find(.nearest, in: context(linked))?.distrust != nil)
        // In a folder that anyone may write to such a link is passed over, as a planted file is.
        linked.links["/tmp/.pm.config.json"] = "/data/web.json"
        linked.files["/tmp"] = FileFacts(kind: .directory, owner: 0, mode: 0o1777)
        #expect(try DaemonLocation.find(.nearest, in: context(linked, at: "/tmp"))?.configFile != "/data/web.json")
    }

    @Test(arguments: [(0, "1000", true), (0, "1001", false), (0, "x", false), (1001, "1000", false)])
    func `under sudo the caller's folders are root's, and nobody else's`(
        user: UInt32, caller: String, isTrusted: Bool
    ) throws {
        var files = FakeFiles()
        files.files["/srv/app/.pm.config.json"] = FileFacts(kind: .regular, owner: 1000)
        let context = LocationContext(
            environment: ["HOME": "/root", "SUDO_UID": caller], workingDirectory: "/srv/app", userID: user, files: files
        )
        let found = try DaemonLocation.find(.nearest, in: context)
        #expect((found?.distrust == nil) == isTrusted)
    }

    @Test func `the home of another user is not root's, also under sudo, and neither is the list in it`() throws {
        var files = FakeFiles("/home/ada/.config/pm/.pm.config.json", "/home/ada/.config/pm/trusted")
        files.files["/home/ada"] = FileFacts(kind: .directory, owner: 1000, mode: 0o755)
        files.text["/etc/passwd"] = "root:x:0:0:root:/srv/admin:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n"
        files.text["/home/ada/.config/pm/trusted"] = "/home/ada/.config/pm\n"
        func found(_ selection: DaemonSelection, _ variables: [String: String] = ["HOME": "/home/ada"]) throws
            -> DaemonLocation?
        {
            let context = LocationContext(
                environment: variables.merging(["SUDO_UID": "1000"]) { $1 }, workingDirectory: "/", userID: 0,
                files: files)
            return try DaemonLocation.find(selection, in: context)
        }
        let file = "/home/ada/.config/pm/.pm.config.json"
        for selection in [DaemonSelection.nearest, .user] {
            let problem = try #require(try found(selection)?.distrust)
            #expect(problem.message.hasPrefix("the programs of \(file) are not run as user 0: /home/ada belongs to"))
            #expect(
                problem.hint == "to run them this time: pm start pm --config \(file); to trust the folder from now on: "
                    + "mkdir -p /srv/admin/.config/pm && echo /home/ada/.config/pm >>/srv/admin/.config/pm/trusted")
        }
        #expect(try found(.user, ["HOME": "/srv/admin", "XDG_CONFIG_HOME": "/home/ada/.config"])?.distrust != nil)
        #expect(try found(.file(file))?.distrust == nil)
        #expect(try found(.user, ["HOME": "/srv/admin"])?.distrust == nil)
        for variable in ["XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
            let problem = try #require(try found(.user, ["HOME": "/srv/admin", variable: "/home/ada/x"])?.distrust)
            #expect(problem.message == "root's daemon keeps no files in /home/ada/x/pm: /home/ada belongs to user 1000")
            #expect(problem.hint?.contains("echo /home/ada/x/pm >>/srv/admin/.config/pm/trusted") == true)
        }
        files.text["/srv/admin/.config/pm/trusted"] = "/home/ada/.config/pm\n/home/ada/.local/state/pm\n"
        #expect(try found(.user)?.distrust == nil)
    }

    @Test func `the real file system answers the search`() throws {
        let probe = LinuxFileProbe()
        #expect(probe.facts(of: "/")?.kind == .directory)
        #expect(probe.facts(of: "/dev/null")?.kind == .other)
        #expect(probe.facts(of: "/nowhere/at/all") == nil)
        #expect(probe.realPath(of: "/usr/../usr/.") == "/usr")
        #expect(probe.contents(of: "/etc/passwd")?.isEmpty == false)
        #expect(try LocationContext.current(environment: [:]).workingDirectory.hasPrefix("/"))
    }
}
