import PMModel

/// A section `[program:NAME]` while it is read.
struct SupervisordProgram {
    let section: SupervisordFile.Section
    let common: SupervisordFile.Section?
    let context: MigrationContext
    var draft: ServiceDraft

    init(_ section: SupervisordFile.Section, _ common: SupervisordFile.Section?, _ context: MigrationContext) {
        (self.section, self.common, self.context) = (section, common, context)
        draft = ServiceDraft(String(section.name.dropFirst("program:".count)).trimmed)
    }

    mutating func read() throws(MigrationError) -> ServiceDraft {
        // supervisord starts and restarts what nothing else says of.
        draft.mapping.isAutostart = true
        draft.mapping.restart.condition = .onFailure
        draft.mapping.restart.limit = 3
        draft.mapping.restart.resetAfter = .seconds(1)
        try addEnvironment(common)
        try addEnvironment(section)
        try addProgram()
        for setting in section.settings {
            do throws(MigrationError) {
                try answer(setting.key, try expanded(setting.value))
            } catch {
                throw MigrationError(error.message, line: setting.line)
            }
        }
        return draft
    }

    // MARK: values

    /// Replaces `%(NAME)s` and `%(NAME)02d`.
    ///
    /// - Throws: `MigrationError` for a name that supervisord does not have either.
    func expanded(_ value: String) throws(MigrationError) -> String {
        guard value.utf8.contains(UInt8(ascii: "%")) else { return value }
        var result = ""
        var rest = value[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            if rest.hasPrefix("%") {
                rest.removeFirst()
                result.append("%")
                continue
            }
            guard rest.hasPrefix("("), let end = rest.firstIndex(of: ")") else {
                throw MigrationError("expected %(NAME)s or %% in \(value)")
            }
            let name = String(rest[..<end].dropFirst())
            rest = rest[rest.index(after: end)...]
            let width = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest[width.endIndex...]
            guard let form = rest.popFirst(), form == "s" || form == "d" else {
                throw MigrationError("expected %(\(name))s in \(value)")
            }
            let text = try variable(name)
            let missing = max(0, min(Int(width) ?? 0, 20) - text.utf8.count)
            result += String(repeating: width.hasPrefix("0") ? "0" : " ", count: missing) + text
        }
        return result
    }

    private func variable(_ name: String) throws(MigrationError) -> String {
        if name.hasPrefix("ENV_") {
            let variable = String(name.dropFirst(4))
            guard let value = context.environment[variable] else {
                throw MigrationError("%(\(name))s: there is no variable \(variable) here; set it for pm import")
            }
            return value
        }
        switch name {
        case "program_name", "group_name": return draft.name
        case "here": return context.directory
        case "process_num": return "0"
        case "numprocs": return section.value("numprocs") ?? "1"
        case "host_node_name":
            guard let host = context.environment["HOSTNAME"] else {
                throw MigrationError("%(\(name))s: write the name of the machine")
            }
            return host
        default: throw MigrationError("pm does not know %(\(name))s")
        }
    }

    /// Reads `KEY="value",KEY2=value`.
    ///
    /// - Throws: `MigrationError` for anything else.
    static func environment(_ text: String) throws(MigrationError) -> [(name: String, value: String)] {
        var variables: [(name: String, value: String)] = []
        var bytes = Array(text.utf8)[...]
        while true {
            bytes = bytes.drop { $0 <= UInt8(ascii: " ") || $0 == UInt8(ascii: ",") }
            guard !bytes.isEmpty else { return variables }
            guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else {
                throw MigrationError("expected KEY=\"value\" in environment")
            }
            let name = String(decoding: bytes[..<equals], as: UTF8.self).trimmed
            guard Procfile.assignment(name + "=") != nil else {
                throw MigrationError("\(name) in environment is no name of a variable")
            }
            bytes = bytes[(equals + 1)...].drop { $0 == UInt8(ascii: " ") }
            let value: [UInt8]
            if let quote = bytes.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
                (value, bytes) = try quoted(bytes.dropFirst(), quote)
            } else {
                let end = bytes.firstIndex(of: UInt8(ascii: ",")) ?? bytes.endIndex
                value = Array(String(decoding: bytes[..<end], as: UTF8.self).trimmed.utf8)
                bytes = bytes[end...]
            }
            variables.append((name, String(decoding: value, as: UTF8.self)))
        }
    }

    private static func quoted(_ bytes: ArraySlice<UInt8>, _ quote: UInt8) throws(MigrationError) -> (
        [UInt8], ArraySlice<UInt8>
    ) {
        var (value, rest): ([UInt8], ArraySlice<UInt8>) = ([], bytes)
        while let byte = rest.popFirst() {
            if byte == quote { return (value, rest) }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\""), let next = rest.first,
                next == quote || next == UInt8(ascii: "\\")
            {
                value.append(next)
                rest.removeFirst()
            } else {
                value.append(byte)
            }
        }
        throw MigrationError("a quote in environment is not closed")
    }

    private mutating func addEnvironment(_ section: SupervisordFile.Section?) throws(MigrationError) {
        guard let setting = section?.settings.last(where: { $0.key == "environment" }) else { return }
        do throws(MigrationError) {
            for (name, value) in try Self.environment(try expanded(setting.value)) { draft.set(name, value) }
        } catch {
            throw MigrationError(error.message, line: setting.line)
        }
    }

    private mutating func addProgram() throws(MigrationError) {
        guard let setting = section.settings.last(where: { $0.key == "command" }) else {
            throw MigrationError("[\(section.name)] has no command", line: section.line)
        }
        do throws(MigrationError) {
            let words = try ShellLine.split(try expanded(setting.value)).words
            guard !words.isEmpty else { throw MigrationError("command is empty") }
            let directory = try section.value("directory").map { text throws(MigrationError) in try expanded(text) }
            draft.run(words, in: Paths.resolve(directory ?? ".", from: context.directory), context)
        } catch {
            throw MigrationError(error.message, line: setting.line)
        }
    }

    // MARK: fields

    private mutating func answer(_ key: String, _ value: String) throws(MigrationError) {
        switch key {
        case "command": draft.became(key, "path, cli")
        case "directory": draft.became(key, "cwd")
        case "environment": draft.became(key, "env")
        case "autostart":
            draft.mapping.isAutostart = UnitReader.isTrue(value)
            draft.became(key, "autostart")
        case "autorestart":
            switch value.lowercased() {
            case "unexpected": draft.mapping.restart.condition = .onFailure
            default: draft.mapping.restart.condition = UnitReader.isTrue(value) ? .always : .never
            }
            draft.became(key, "restart: \"\(draft.mapping.restart.condition.rawValue)\"")
        case "user":
            draft.mapping.user = value
            draft.became(key, "user; needs a daemon that runs as root")
        case "umask":
            guard let mask = UInt32(value, radix: 8), mask <= 0o777 else { return draft.wrong(key, "an octal number") }
            draft.mapping.umask = mask
            draft.became(key, "umask")
        case "numprocs", "startretries": answerNumber(key, value)
        case "stopsignal", "stopwaitsecs", "startsecs": answerTimes(key, value)
        case "exitcodes":
            let isUsual = value.trimmed == "0"
            if isUsual {
                draft.became(key, "restart: \"on-failure\"")
            } else {
                draft.missing(key, "let the program end with 0")
            }
        default: answerOther(key)
        }
    }

    private mutating func answerNumber(_ key: String, _ value: String) {
        guard let number = Int(value), number >= 0 else { return draft.wrong(key, "a number") }
        if key == "startretries" {
            draft.mapping.restart.limit = min(max(number, 1), RestartPolicy.largestLimit)
            return draft.became(key, "restart.limit; then one try a minute")
        }
        draft.mapping.instances = min(max(number, 1), Mapping.mostInstances)
        if number > 1 {
            draft.service.definition.isStateless = true
            draft.became(key, "instances, stateless; PM_NAME is the number of each")
        } else {
            draft.became(key, "instances")
        }
    }

    private mutating func answerTimes(_ key: String, _ value: String) {
        let step = draft.mapping.stop.steps.first ?? StopStep(signal: 15, wait: .seconds(10))
        if key == "stopsignal" {
            guard let signal = SignalName.number(of: value) else { return draft.wrong(key, "a signal") }
            draft.mapping.stop = StopSequence(steps: [StopStep(signal: signal, wait: step.wait)])
            return draft.became(key, "stop.signal")
        }
        guard let time = CompoundDuration.parse(value, unit: "s") else { return draft.wrong(key, "seconds") }
        if key == "startsecs" {
            draft.mapping.restart.resetAfter = time
            return draft.became(key, "restart.resetAfter")
        }
        draft.mapping.stop = StopSequence(steps: [StopStep(signal: step.signal, wait: time)])
        draft.became(key, "stop.wait")
    }

    private mutating func answerOther(_ key: String) {
        switch key {
        case "stopasgroup", "killasgroup": draft.needless(key, "pm always ends all descendants")
        case "process_name": draft.needless(key, "instances are \(draft.name), \(draft.name)#2, ...")
        case "numprocs_start": draft.missing(key, "instances are counted from 1; PM_NAME has the number")
        case "priority": draft.missing(key, "\"dependencies\": [...] of the service that needs another one")
        case "serverurl": draft.needless(key, "\(HostVariable.socket.rawValue) is in the environment")
        case _ where key.hasPrefix("stdout_") || key.hasPrefix("stderr_") || key == "redirect_stderr":
            draft.needless(key, "pm log NAME shows it; \"logs\" chooses the place")
        default: draft.missing(key, "pm has no such field")
        }
    }
}
