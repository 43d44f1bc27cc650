import ArgumentParser
import JSON
import PMAPI
import PMClient
import PMModel

/// `pm types [NAME...]`.
struct TypesCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "types", abstract: "Write TypeScript declarations of the commands that services offer.",
        discussion: """
            `pm types > services.d.ts` declares the interface Services with all running services, and `pm types api db` with \
            these two. `sidecar<Services>()` of @akala/pm is then typed: an unknown service or command is an error of the \
            compiler. Metadata has the names of parameters, but not their types, so these are any.

            EXAMPLES
              pm types > services.d.ts
              pm types api db
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(
        help: "The services, or patterns with *; without a name all that run.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String] = []

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let client = try session.connect()
        var services: [(name: String, metadata: ServiceMetadata)] = []
        for name in try asked(client) {
            do throws(APIError) {
                services.append((name, try client.ask(Metadata(isDeep: true, service: name))))
            } catch {
                // Without names, a service that offers no commands is only not in the list.
                guard names.isEmpty, error.statusCode == 404 else { throw error }
            }
        }
        switch session.format {
        case .table: session.output.write(TypeDeclarations(services: services).text)
        case .json:
            var all = JSONObject()
            for service in services { all[service.name] = service.metadata.json }
            session.output.line(JSONValue.object(all).text)
        }
        return .success
    }

    private func asked(_ client: DaemonClient) throws(APIError) -> [String] {
        if !names.isEmpty { return try ServiceNames(client: client).expanded(names) }
        let running = try client.ask(Status(name: nil)).filter { $0.type != "self" && $0.isReady }
        var seen: Set<String> = []
        return running.map { InstanceName.unit(of: $0.name) }.filter {
            !UnitName.isOfPart($0) && seen.insert($0).inserted
        }
    }
}

/// The interface of services as TypeScript.
struct TypeDeclarations {
    let services: [(name: String, metadata: ServiceMetadata)]

    /// A whole file.
    var text: String {
        var text = "// Written by `pm types`: the commands of services, for sidecar<Services>() of @akala/pm.\n"
        text += "export interface Services {\n"
        for service in services {
            text += "  \(Self.key(service.name)): {\n"
            for command in ServiceHelp(service: service.name, metadata: service.metadata).commands {
                text += Self.declaration(of: command)
            }
            text += "  };\n"
        }
        return text + "}\n"
    }

    private static func declaration(of command: CommandMetadata) -> String {
        let usage = ServiceHelp.usage(of: command)
        let about = command.config["doc"]?["description"]?.string.map { "\($0): " } ?? ""
        let comment = comment("\(about)\(usage)")
        return "    /** \(comment) */\n    \(key(command.name))(\(parameters(of: command))): Promise<any>;\n"
    }

    private static func parameters(of command: CommandMetadata) -> String {
        let places: [JSONValue] =
            command.config["jsonrpc"]?["inject"]?.array ?? command.config[""]?["inject"]?.array ?? []
        if places.contains(where: { ["params", "args", "$param"].contains($0.string) }) { return "...params: any[]" }
        let names = command.parameterNames
        let mandatory = CommandUsage(cli: command.config["cli"] ?? .null).places.prefix { $0.isMandatory }.count
        return names.enumerated().map { index, name in
            "\(identifier(name, index))\(index < mandatory ? "" : "?"): any"
        }.joined(separator: ", ")
    }

    /// A name as a member: in quotes unless it is an identifier.
    private static func key(_ name: String) -> String { isIdentifier(name) ? name : JSONValue.string(name).text }

    /// The name of a parameter, which cannot be in quotes.
    private static func identifier(_ name: String, _ index: Int) -> String {
        isIdentifier(name) && !reserved.contains(name) ? name : "param\(index)"
    }

    private static func isIdentifier(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "$"): true
            default: false
            }
        }
    }

    /// Words that no parameter may have (ECMA-262, 12.7.2 Keywords and Reserved Words, with those of strict mode).
    private static let reserved: Set<String> = [
        "arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete",
        "do",
        "else", "enum", "eval", "export", "extends", "false", "finally", "for", "function", "if", "implements",
        "import",
        "in", "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public", "return",
        "static", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with", "yield",
    ]

    /// Text from a service on one line, which cannot end the comment.
    private static func comment(_ text: String) -> String {
        DisplayWidth.printable(text).split(separator: "*/", omittingEmptySubsequences: false).joined(separator: "* /")
    }
}
