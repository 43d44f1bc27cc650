import ArgumentParser
import JSON
import PMAPI
import PMConfig
import PMModel
import PMSystem

/// `pm check [FILE]`.
struct CheckCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a configuration file without running anything.",
        discussion: """
            pm prints every error and every warning with its file, line and column: wrong values, unknown keys and those of \
            other process managers, mappings of containers that do not exist, and the like. The exit code is 65 if there is an error, \
            with --strict also if there is a warning. Variables (`${NAME}`) have the values of this environment. All profiles are checked, and \
            those that are not chosen with --profile need no variables.

            EXAMPLES
              pm check
              pm check --strict deploy/.pm.config.json
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(help: "Fail on warnings too.")
    var strict = false

    @Flag(help: "Print the JSON Schema of configurations instead, for editors.")
    var schema = false

    @OptionGroup var profile: ProfileOption

    @Argument(help: "The file, or its folder; without it the nearest configuration.", completion: .file())
    var file: String?

    /// The file is named once.
    func validate() throws {
        if global.pmSock != nil { throw ValidationError("pm check reads a file: name it, or give --config FILE.") }
        if file != nil, global.config != nil || global.scope != nil {
            throw ValidationError("Give FILE or one of --config, --user and --system.")
        }
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        if schema {
            session.output.write(ConfigSchema.document.serialized(indent: "  ") + [UInt8(ascii: "\n")])
            return .success
        }
        let path = try path(session)
        var problems: [ConfigProblem] = []
        var services: [String] = []
        let values = session.values(profile.profile)
        do throws(ConfigError) {
            let file = try ConfigStore(path: path, values: values).load()
            problems = Self.all(file.path, file.document.bytes, values) ?? file.warnings
            problems += [file.exposure].compactMap { $0 }
            services = file.configuration.unitNames
        } catch {
            guard error.kind == .invalid else { throw APIError(error) }
            // A file that cannot be read any more has the errors that it had.
            problems = (try? Files.read(path)).flatMap { Self.all(path, $0, values) } ?? error.problems
        }
        tell(path, problems, services, session)
        let isWrong = problems.contains { $0.severity == .error }
        return isWrong || (strict && !problems.isEmpty) ? .data : .success
    }

    private static func all(_ path: String, _ bytes: [UInt8], _ values: ConfigValues) -> [ConfigProblem]? {
        ConfigFile.problems(path: path, bytes: bytes, values: values)
    }

    private func path(_ session: CommandContext) throws(APIError) -> String {
        var locator = try session.locator()
        if let file { locator.selection = .file(file) }
        guard let location = try locator.location() else {
            throw .notFound(
                "there is no \(DaemonLocation.configName) here or above", hint: "pm check FILE checks another one")
        }
        return location.configFile
    }

    private func tell(_ path: String, _ problems: [ConfigProblem], _ services: [String], _ session: CommandContext) {
        let errors = problems.filter { $0.severity == .error }
        let warnings = problems.filter { $0.severity == .warning }
        switch session.format {
        case .json:
            let answer: JSONValue = [
                "file": .string(path), "services": .array(services.map { .string($0) }),
                "errors": .array(errors.map(\.json)), "warnings": .array(warnings.map(\.json)),
            ]
            session.output.line(answer.text)
        case .table:
            for problem in problems {
                session.output.line(DisplayWidth.printable(problem.description))
                if let hint = problem.hint { session.output.line("  hint: " + DisplayWidth.printable(hint)) }
            }
            let found = [Self.counted(errors.count, "error"), Self.counted(warnings.count, "warning")]
            let counts = errors.isEmpty ? [Self.counted(services.count, "service")] + found : found
            session.output.line(DisplayWidth.printable("\(path): \(counts.joined(separator: ", "))"))
        }
    }

    private static func counted(_ number: Int, _ noun: String) -> String {
        number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
    }
}

extension ConfigProblem {
    /// `{line, column, key, message, hint}`, without what is not known.
    fileprivate var json: JSONValue {
        var members = JSONObject()
        if let line { members["line"] = .number(JSONNumber(line)) }
        if let column { members["column"] = .number(JSONNumber(column)) }
        if let key, !key.isEmpty { members["key"] = .string(key) }
        members["message"] = .string(message)
        if let hint { members["hint"] = .string(hint) }
        return .object(members)
    }
}
