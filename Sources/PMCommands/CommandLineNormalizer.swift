import PMConfig

/// Brings the words of a command line into the form the parser reads: the command first, then its options, then, after
/// `--`, what belongs to a service or program and must not be read as options of pm.
struct CommandLineNormalizer {
    /// Options of pm that take the next word.
    private static let valued: Set<String> = ["-o", "--output", "--pm-sock", "--config"]
    /// Options of pm that stand alone.
    private static let flags: Set<String> = ["-v", "--verbose", "--user", "--system"]
    /// Options of `pm run` that may stand behind the program.
    private static let runFlags: Set<String> = ["--new", "--inspect", "--inspect-brk", "--keep-attached"]

    /// Options of `pm dev` that may stand behind the program.
    private static let devFlags: Set<String> = ["--no-inspect", "--inspect", "--inspect-brk"]

    /// Options of `pm run` with a value.
    private static let runValued: Set<String> = ["--name"]

    /// Options of `pm start` with a value that a program has, but a service does not.
    private static let programValued: Set<String> = ["-i", "--instances", "--env-file", "--cwd"]

    /// The words that are commands.
    let commands: Set<String>

    /// The words for the parser.
    func normalized(_ words: [String]) -> [String] {
        let (options, rest) = split(words, valued: Self.valued, flags: Self.flags)
        // A dash word that is not ours is the parser's to judge, as --help and --version are.
        guard var first = rest.first, !first.hasPrefix("-") || first == "--" else { return words }
        if first == "--" { return ["call"] + options + rest }
        // A service whose name is a word of another manager is called by `pm call`.
        if let command = OtherManagers.command(for: first) { first = command }
        guard commands.contains(first) else { return ["call"] + options + ["--"] + rest }
        let tail = Array(rest.dropFirst())
        switch first {
        case "call": return ["call"] + options + call(tail)
        case "run": return ["run"] + options + run(tail, flags: Self.runFlags)
        case "dev": return ["dev"] + options + run(tail, flags: Self.devFlags)
        case "start": return ["start"] + options + start(Self.kebabs(tail)).words
        case "restart": return ["restart"] + options + inspected(Self.kebabs(tail))
        case "set": return ["set"] + options + set(tail)
        case "help": return ["help"] + help(tail)
        case "connect", "map": return [first] + options + Self.kebabs(tail)
        default: return [first] + options + tail  // text from outside, not an enum of ours
        }
    }

    /// Options of `pm start` without a value.
    private static let startFlags: Set<String> = [
        "-w", "--wait", "--new", "--autostart", "--program", "--inspect", "--inspect-brk", "--keep-attached",
        "--foreground", "-h",
        "--help", "--version",
    ]

    /// Options of `pm start` that the service gets, because pm does not know them.
    func passedOn(_ words: [String]) -> [String] {
        let (_, rest) = split(words, valued: Self.valued, flags: Self.flags)
        return rest.first == "start" ? start(Self.kebabs(Array(rest.dropFirst()))).unknown : []
    }

    /// An option of pm that looks like a word that pm does not know; nil: none does.
    static func near(_ word: String) -> String? {
        let own = valued.union(flags).union(startFlags).union(runValued).filter { $0.hasPrefix("--") }
        return NearNames.of(String(word.prefix { $0 != "=" }), among: own.sorted()).first
    }

    /// `start [options] NAME [args]`: behind NAME, options that pm does not know belong to the service, up to a `--`; from there on
    /// everything does.
    private func start(_ words: [String]) -> (words: [String], unknown: [String]) {
        let flags = Self.flags.union(Self.startFlags)
        var valued = Self.valued.union(Self.runValued).union(Self.programValued)
        var (options, rest) = split(words, valued: valued, flags: flags)
        options = options.flatMap(InspectorOptions.separated)
        if rest.first == "--", rest.count > 1 { return (options + ["--program"] + rest, []) }
        guard let name = rest.first, !name.hasPrefix("-"), name != "pm" else { return (inspected(words), []) }
        rest.removeFirst()
        if !ProgramEntry.isFile(name) { valued.subtract(Self.programValued) }
        var (arguments, unknown, bare): ([String], [String], Int) = ([], [], 0)
        while let word = rest.first, word != "--" {
            let (own, others) = split(rest, valued: valued, flags: flags)
            options += own.flatMap(InspectorOptions.separated)
            rest = others
            guard own.isEmpty else { continue }
            arguments.append(word)
            if word.hasPrefix("-"), word != "-" { unknown.append(word) }
            // The word behind an option that pm does not know may be its value.
            if unknown.isEmpty { bare += 1 }
            rest.removeFirst()
        }
        // Bare words may be names of services, too.
        if bare > 0 { options += ["--bare-words", String(bare)] }
        arguments += rest.dropFirst()
        return (options + [name] + (arguments.isEmpty ? [] : ["--"] + arguments), unknown)
    }

    /// Options of the reference, which writes them in camel case, by the words of pm.
    private static let camelCase = [
        "--keepAttached": "--keep-attached", "--inspectBrk": "--inspect-brk", "--pmSock": "--pm-sock",
        "--tcpPort": "--tcp-port",
    ]

    /// From `--` on words belong to a service.
    private static func kebabs(_ words: [String]) -> [String] {
        let own = words.prefix { $0 != "--" }
        let read = own.map { word in
            let name = String(word.prefix { $0 != "=" })
            return camelCase[name].map { $0 + word.dropFirst(name.count) } ?? word
        }
        return read + words.dropFirst(own.count)
    }

    /// `help [COMMAND]`: options of pm change nothing of a help, and the parser knows none for it.
    private func help(_ words: [String]) -> [String] {
        let (_, asked) = split(words, valued: Self.valued, flags: Self.flags)
        let (_, rest) = split(Array(asked.dropFirst()), valued: Self.valued, flags: Self.flags)
        return asked.prefix(1) + rest
    }

    /// `set [options] NAME KEY VALUE`: a value may look like an option of pm, `pm set web cli --verbose`.
    private func set(_ words: [String]) -> [String] {
        let (options, rest) = split(words, valued: Self.valued, flags: Self.flags)
        guard rest.count > 2, rest.prefix(2).allSatisfy({ !$0.hasPrefix("-") }), rest[2].hasPrefix("-"), rest[2] != "--"
        else { return words }
        // What has a value of its own and a place for it is an option.
        if Self.valued.contains(rest[2]), rest.count == 4 { return words }
        return options + rest.dropFirst(3) + ["--"] + rest.prefix(3)
    }

    /// The words with `--inspect=PORT` as two options; from `--` on they belong to a service.
    private func inspected(_ words: [String]) -> [String] {
        let own = words.prefix { $0 != "--" }
        return own.flatMap(InspectorOptions.separated) + words.dropFirst(own.count)
    }

    /// `call [options] NAME COMMAND [args]`: from NAME on nothing is an option.
    private func call(_ words: [String]) -> [String] {
        let (options, rest) = split(
            words, valued: Self.valued.union(["--timeout"]), flags: Self.flags.union(["--json-args"]))
        guard let first = rest.first, !first.hasPrefix("-") else { return words }
        return options + ["--"] + rest
    }

    /// `run [options] PROGRAM [args]` and `dev`: behind PROGRAM only their own long options are options, up to a `--`.
    private func run(_ words: [String], flags: Set<String>) -> [String] {
        var (options, rest) = split(
            words, valued: Self.valued.union(Self.runValued).union(["--profile"]),
            flags: Self.flags.union(flags))
        options = options.flatMap(InspectorOptions.separated)
        if rest.first == "--" {
            rest.removeFirst()
        } else if rest.first?.hasPrefix("-") ?? true {
            return inspected(words)
        }
        guard let program = rest.first else { return words }
        var arguments: [String] = []
        var index = 1
        while index < rest.count {
            let word = rest[index]
            if word == "--" {
                arguments += rest[(index + 1)...]
                break
            }
            let parts = InspectorOptions.separated(word)
            if parts.count > 1 || flags.contains(word) || word.hasPrefix("--name=") {
                options += parts
            } else if word == "--name", index + 1 < rest.count {
                options += [word, rest[index + 1]]
                index += 1
            } else {
                arguments.append(word)
            }
            index += 1
        }
        return options + ["--", program] + arguments
    }

    /// True for several letters of pm behind one dash (`-wv`).
    private func isCluster(_ word: String, _ flags: Set<String>) -> Bool {
        guard word.count > 2, word.hasPrefix("-"), !word.hasPrefix("--") else { return false }
        return word.dropFirst().allSatisfy { flags.contains("-\($0)") }
    }

    /// The leading options, and what follows them.
    private func split(_ words: [String], valued: Set<String>, flags: Set<String>) -> ([String], [String]) {
        var index = 0
        while index < words.count {
            let word = words[index]
            if valued.contains(word) {
                index += 2
            } else if flags.contains(word) || valued.contains(where: { word.hasPrefix($0 + "=") })
                || flags.contains(InspectorOptions.separated(word)[0]) || isCluster(word, flags)
            {
                index += 1
            } else {
                break
            }
        }
        index = min(index, words.count)
        return (Array(words[..<index]), Array(words[index...]))
    }
}
