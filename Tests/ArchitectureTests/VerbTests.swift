import Testing

/// One verb has one name everywhere: in the contract, in the daemon, on the command line and in the tests.
@Suite struct VerbTests {
    /// Methods that no command has, with the reason.
    private static let withoutCommand: Set<String> = [
        "Name",  // asked for by `start --new`
        "Ready",  // said by services
        "Proxy",  // turns a connection into one to a service
        "Bridge",  // said by services
        "Confine",  // said by who lends a connection
        "ClientSession",  // said by the gateway, for a client
        "Installed",  // said by install, update and uninstall
        "Metadata",  // the command tree that clients and `call` read
    ]

    /// Commands that no method has, with the reason.
    private static let withoutMethod: Set<String> = [
        "Call",  // calls a method of a service
        "Check",  // reads a configuration, for a daemon that need not run
        "Edit",  // changes a configuration, for a daemon that need not run
        "Daemons", "Doctor",  // look at files and ask the daemons
        "Dev",  // as run
        "Disable", "Enable", "Get", "Set",  // read and change a configuration, for a daemon that need not run
        "Do",  // calls a command of a service by names
        "IsActive",  // reads the status
        "ProcessID",  // reads the status
        "Wait",  // reads the status
        "Export", "Import",  // read and write a configuration, for a daemon that need not run
        "History",  // reads the events
        "Install",  // npm runs under pm, with the rights of the user
        "Link",  // as install
        "Run",  // no daemon takes part
        "Uninstall",  // as install
        "Update",  // as install
    ]

    @Test func `each method has a file in the contract`() throws {
        let calls = try stems("Sources/PMAPI/Calls")
        #expect(try verbs().filter { !calls.contains($0) } == [])
    }

    @Test func `each method has a handler`() throws {
        let handlers = try stems("Sources/PMDaemon/Handlers")
        #expect(try verbs().filter { !handlers.contains($0) } == [])
    }

    @Test func `each method has a command or a reason to have none`() throws {
        let commands = try stems("Sources/PMCommands")
        let missing = try verbs().filter { !commands.contains($0) && !Self.withoutCommand.contains($0) }
        #expect(missing == [])
    }

    @Test func `each command has a test of its own`() throws {
        let tests = try stems("Tests/CommandTests")
        let commands = try verbs().filter { !Self.withoutCommand.contains($0) } + Self.withoutMethod.sorted()
        let missing = commands.filter { !tests.contains($0 + "Tests") }
        #expect(missing == [])
    }

    @Test func `the verbs are read from the enum of methods`() {
        let text =
            "public enum Method: String {\n    /// Case a.\n    case start\n    case list = \"ls\"\n}\ncase other\n"
        #expect(Self.verbs(in: text) == ["Start", "List"])
    }

    private func verbs() throws -> [String] { Self.verbs(in: try SourceTree.file("Sources/PMAPI/Method.swift").text) }

    private static func verbs(in text: String) -> [String] {
        Code(text, .swift).lines.drop { !$0.contains("enum Method") }.prefix { $0 != "}" }.compactMap { line in
            let words = line.split { $0 == " " || $0 == "=" }
            guard words.first == "case", words.count > 1 else { return nil }
            return words[1].prefix(1).uppercased() + words[1].dropFirst()
        }
    }

    private func stems(_ directory: String) throws -> Set<String> {
        Set(try SourceTree.files([directory], [".swift"]).map(\.stem))
    }
}
