import PMModel

/// Units of systemd that are read together: services, and the sockets of some of them.
public struct UnitFiles: Equatable, Sendable {
    /// The files.
    public var units: [UnitFile]

    /// Units that were read.
    public init(_ units: [UnitFile]) { self.units = units }

    /// The services of pm that do the same.
    ///
    /// - Throws: `MigrationError` for a service without a program, and for a kind of unit that pm has nothing for.
    public func migration(_ context: MigrationContext) throws(MigrationError) -> Migration {
        var context = context
        context.known.formUnion(units.filter { $0.name.hasSuffix(".service") }.map(\.service))
        var migration = Migration()
        for unit in units {
            switch unit.name.split(separator: ".").last {
            case "service":
                do throws(MigrationError) {
                    var reader = UnitReader(unit, context)
                    migration.add(try reader.read())
                } catch {
                    throw MigrationError("\(unit.name): \(error.message)", line: error.line)
                }
            case "socket": continue
            default:
                throw MigrationError(
                    "\(unit.name) is no service and no socket: keep it in systemd; a timer can run pm start NAME")
            }
        }
        for unit in units where unit.name.hasSuffix(".socket") { try UnitSocket(unit).add(to: &migration, context) }
        return migration
    }
}

/// One service while it is read.
struct UnitReader {
    let unit: UnitFile
    let context: MigrationContext
    let specifiers: UnitSpecifiers
    var draft: ServiceDraft
    var needed: Set<String> = []

    init(_ unit: UnitFile, _ context: MigrationContext) {
        self.unit = unit
        self.context = context
        let base = unit.name.hasSuffix(".service") ? String(unit.name.dropLast(8)) : unit.name
        let parts = base.parts(at: "@")
        specifiers = UnitSpecifiers(
            unit: unit, context: context, instance: parts?.after ?? "")
        draft = ServiceDraft(unit.service)
    }

    mutating func read() throws(MigrationError) -> ServiceDraft {
        draft.mapping.restart.condition = .never
        let directory = try workingDirectory()
        try addEnvironment()
        try addProgram(directory)
        addDependencies()
        var seen: Set<String> = []
        for setting in unit.settings where seen.insert(setting.section + "." + setting.key).inserted {
            let values = unit.values(setting.section, setting.key)
            guard let last = values.last else { continue }
            let value: String
            do throws(MigrationError) {
                value = try specifiers.expanded(last.value)
            } catch {
                throw MigrationError(error.message, line: last.line)
            }
            switch setting.section {
            case "Unit": answerUnit(setting.key, value)
            case "Service": try answerService(setting.key, value)
            case "Install": answerInstall(setting.key)
            default:
                if !setting.section.hasPrefix("X-") {
                    draft.missing("[\(setting.section)] \(setting.key)", "pm does not know this section")
                }
            }
        }
        return draft
    }

    func value(_ key: String) -> String? { unit.value("Service", key) }

    static func isTrue(_ value: String) -> Bool { ["1", "yes", "true", "on", "y", "t"].contains(value.lowercased()) }

    // MARK: the program

    private func workingDirectory() throws(MigrationError) -> String {
        guard var text = value("WorkingDirectory") else { return "/" }
        if text.hasPrefix("-") { text.removeFirst() }
        if text == "~" { return try specifiers.expanded("%h") }
        return try specifiers.expanded(text)
    }

    private mutating func addProgram(_ directory: String) throws(MigrationError) {
        let starts = unit.values("Service", "ExecStart")
        guard let start = starts.first else { throw MigrationError("there is no ExecStart=") }
        guard starts.count == 1 else {
            throw MigrationError(
                "it has \(starts.count) lines ExecStart=: write them into a script, which pm can run",
                line: start.line)
        }
        do throws(MigrationError) {
            var text = start.value[...]
            while let first = text.first, "-@:+!|".contains(first) {
                text.removeFirst()
                if first == "-" || first == ":" { continue }
                draft.missing("ExecStart=\(first)", "pm starts the program without this prefix")
            }
            let isLiteral = start.value.prefix { "-@:+!|".contains($0) }.contains(":")
            let expanded = try specifiers.expanded(String(text).trimmed)
            let words =
                isLiteral
                ? try UnitSyntax.list(expanded).map { UnitWord(parts: [.text($0)]) } : try UnitSyntax.command(expanded)
            guard !words.isEmpty else { throw MigrationError("ExecStart= names no program") }
            run(words, in: directory)
        } catch {
            throw MigrationError(error.message, line: start.line)
        }
    }

    private mutating func run(_ words: [UnitWord], in directory: String) {
        let known = Dictionary(draft.mapping.env.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { $1 })
        let isStatic = draft.mapping.envFiles.isEmpty
        var plain: [String] = []
        var shell: [String] = ["exec"]
        var needsShell = false
        for word in words {
            let parts = word.parts.map { part -> UnitWord.Part in
                switch part {
                case .variable(let name) where isStatic: .text(known[name] ?? "")
                case .text, .variable, .words: part
                }
            }
            if case .words(let name)? = parts.first, isStatic {
                let split = (known[name] ?? "").split(separator: " ").map(String.init)
                plain += split
                shell += split.map(ShellLine.quoted)
                continue
            }
            if let text = UnitWord(parts: parts).text { plain.append(text) } else { needsShell = true }
            shell.append(Self.shellText(parts))
        }
        if needsShell {
            draft.runShell(shell.joined(separator: " "), in: directory, context)
            draft.became("ExecStart", "path, cli (through /bin/sh, for variables of the EnvironmentFile)")
        } else {
            draft.run(plain, in: directory, context)
            draft.became("ExecStart", "path, cli")
        }
    }

    private static func shellText(_ parts: [UnitWord.Part]) -> String {
        parts.map { part in
            switch part {
            case .text(let text): ShellLine.quoted(text)
            case .variable(let name): "\"${\(name)}\""
            case .words(let name): "$\(name)"
            }
        }.joined()
    }

    // MARK: the environment

    private mutating func addEnvironment() throws(MigrationError) {
        for setting in unit.values("Service", "Environment") {
            do throws(MigrationError) {
                for word in try UnitSyntax.list(try specifiers.expanded(setting.value)) {
                    guard let (name, value) = word.parts(at: "="), !name.isEmpty else {
                        throw MigrationError("expected NAME=value in Environment=, found \(word)")
                    }
                    draft.set(name, value)
                }
            } catch {
                throw MigrationError(error.message, line: setting.line)
            }
        }
        for setting in unit.values("Service", "EnvironmentFile") {
            var file = try specifiers.expanded(setting.value)
            let isOptional = file.hasPrefix("-")
            if isOptional { file.removeFirst() }
            if isOptional, !context.exists(file) {
                draft.missing("EnvironmentFile=-\(file)", "it does not exist; name it in envFiles when it does")
            } else {
                draft.mapping.envFiles.append(context.path(file, from: "/"))
                let isBoth = !draft.mapping.env.isEmpty
                draft.became("EnvironmentFile", isBoth ? "envFiles; env replaces their variables" : "envFiles")
            }
        }
        for setting in unit.values("Service", "UnsetEnvironment") {
            for word in try UnitSyntax.list(setting.value) where !word.contains("=") { draft.set(word, nil) }
        }
    }
}
