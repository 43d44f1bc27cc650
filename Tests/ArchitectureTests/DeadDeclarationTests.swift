import Testing

/// The names that sources declare, and how often code mentions each.
struct DeclaredNames {
    private var places: [String: [(path: String, line: Int)]] = [:]
    private var mentions: [String: Int] = [:]

    /// Adds a file's declarations, and whatever it mentions.
    mutating func add(_ file: SourceFile) {
        guard let language = Code.language(of: file.path) else { return }
        let code = Code(file.text, language)
        let text = String(decoding: code.bytes, as: UTF8.self)
        for mention in text.matches(of: /[A-Za-z_][A-Za-z0-9_]*/) { mentions[String(mention.output), default: 0] += 1 }
        for name in Self.declared(in: text, of: file) {
            let line = code.line(of: text.utf8.distance(from: text.startIndex, to: name.startIndex))
            places[String(name), default: []].append((file.path, line))
        }
    }

    private static func declared(in text: String, of file: SourceFile) -> [Substring] {
        guard file.path.hasSuffix(".swift") else {
            // A function in a header of C, which a source defines: two mentions.
            guard file.path.hasSuffix(".h") else { return [] }
            let functions = text.matches(of: /(?m)^[a-z][A-Za-z0-9_ *]*\b([a-z_0-9]+)\([^;{}]*\)[^;{}()]*;/)
            return functions.flatMap { [$0.output.1, $0.output.1] }
        }
        let kinds = /\b(?:func|var|let|struct|class|enum|protocol|typealias|actor)\s+([A-Za-z_][A-Za-z0-9_]*)/
        let cases = /\bcase\s+([a-z][A-Za-z0-9]*)\b/
        let declared = text.matches(of: kinds).map(\.output.1)
        // All cases of such an enum are used at once.
        return file.text.contains("CaseIterable") ? declared : declared + text.matches(of: cases).map(\.output.1)
    }

    /// Declarations that nothing mentions, but for those that a protocol of a library asks for.
    func unused(except required: Set<String>) -> [Violation] {
        places.filter { name, at in mentions[name, default: 0] <= at.count && !required.contains(name) }
            .map { name, at in Violation(path: at[0].path, line: at[0].line, reason: "nothing uses \(name)") }
            .sorted { ($0.path, $0.reason) < ($1.path, $1.reason) }
    }
}

@Suite struct DeadDeclarationTests {
    /// What the standard library, swift-nio and swift-argument-parser call.
    private static let required: Set<String> = [
        "hash", "underestimatedCount", "callAsFunction", "isIsolatingCurrentContext", "unownedExecutor",
        "InboundIn", "InboundOut", "OutboundIn", "OutboundOut", "channelActive", "channelInactive", "channelRead",
        "channelReadComplete", "channelWritabilityChanged", "errorCaught", "handlerAdded", "handlerRemoved",
        "userInboundEventTriggered", "allValueStrings", "defaultValueDescription", "validate",
    ]
    /// Room in a value that its neighbours reach by their address.
    private static let storage: Set<String> = ["third", "fourth", "fifth"]
    /// State and events that programs have, and only tests look at; functions of C for the rigs of tests.
    private static let observed: Set<String> = [
        "sourceCount", "peerClosed", "extra", "exec_request_end", "nonchildren_end", "pm_fd_set_nonblocking",
        "pm_socket_listen", "pm_socket_connect",
    ]

    @Test func `every declaration in Swift and C is used by a program`() throws {
        var names = DeclaredNames()
        let files = try SourceTree.files(["Sources", "CSources"], [".swift", ".c", ".h"])
        #expect(files.count > 500)
        for file in files { names.add(file) }
        let exempt = Self.required.union(Self.storage).union(Self.observed)
        // A library for users declares names that only they use.
        expectNone(names.unused(except: exempt).filter { !$0.path.hasPrefix("Sources/PMSidecar/") })
    }

    @Test func `what only its declaration mentions is found`() {
        var names = DeclaredNames()
        names.add(
            SourceFile(
                path: "Sources/A/A.swift",
                text: """
                    struct Used { let field = 1 }
                    func call(_ used: Used) { print(used.field, E.here) }
                    enum E { case here, there }
                    // func spoken() is only spoken of
                    let text = "forgotten"
                    func forgotten() { call(Used()) }
                    func twice() {}
                    func twice(_ number: Int) {}
                    """))
        names.add(SourceFile(path: "CSources/a/a.h", text: "int a_used(int fd);\nint a_left(void);\n"))
        names.add(
            SourceFile(
                path: "CSources/a/a.c",
                text: "int a_used(int fd) { return fd; }\n" + "int a_left(void) { return a_used(1); }\n"))
        let found = names.unused(except: ["text"])
        #expect(found.map(\.reason) == ["a_left", "forgotten", "twice"].map { "nothing uses \($0)" })
    }
}
