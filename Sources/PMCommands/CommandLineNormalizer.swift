/// Brings the words of a command line into the form the parser reads: the command first, then its options, then, after
/// `--`, what belongs to a service or program and must not be read as options of pm.
struct CommandLineNormalizer {
    /// Options of pm that take the next word.
    private static let valued: Set<String> = ["-o", "--output", "--pm-sock", "--config"]
    /// Options of pm that stand alone.
    private static let flags: Set<String> = ["-v", "--verbose", "--user", "--system"]
    /// Options of `pm run` that may stand behind the program.
    private static let runFlags: Set<String> = ["--new", "--inspect", "--inspect-brk", "--keep-attached"]

    /// Options of `pm run` with a value.
    private static let runValued: Set<String> = ["--name"]

    /// The words that are commands.
    let commands: Set<String>

    /// The words for the parser.
    func normalized(_ words: [String]) -> [String] {
        let (options, rest) = split(words, valued: Self.valued, flags: Self.flags)
        // A dash word that is not ours is the parser's to judge, as --help and --version are.
        guard let first = rest.first, !first.hasPrefix("-") || first == "--" else { return words }
        if first == "--" { return ["call"] + options + rest }
        guard commands.contains(first) else { return ["call"] + options + ["--"] + rest }
        let tail = Array(rest.dropFirst())
        switch first {
        case "call": return ["call"] + options + call(tail)
        case "run": return ["run"] + options + run(tail)
        case "start", "restart": return [first] + options + inspected(tail)
        default: return [first] + options + tail  // text from outside, not an enum of ours
        }
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

    /// `run [options] PROGRAM [args]`: behind PROGRAM only the long options of run itself are options, up to a `--`.
    private func run(_ words: [String]) -> [String] {
        var (options, rest) = split(
            words, valued: Self.valued.union(Self.runValued), flags: Self.flags.union(Self.runFlags))
        options = options.flatMap(InspectorOptions.separated)
        if rest.first == "--" { rest.removeFirst() } else if rest.first?.hasPrefix("-") ?? true { return words }
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
            if parts.count > 1 || Self.runFlags.contains(word) || word.hasPrefix("--name=") {
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

    /// The leading options, and what follows them.
    private func split(_ words: [String], valued: Set<String>, flags: Set<String>) -> ([String], [String]) {
        var index = 0
        while index < words.count {
            let word = words[index]
            if valued.contains(word) {
                index += 2
            } else if flags.contains(word) || valued.contains(where: { word.hasPrefix($0 + "=") })
                || flags.contains(InspectorOptions.separated(word)[0])
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
