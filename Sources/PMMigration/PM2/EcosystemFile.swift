public import JSON
import PMModel

/// An ecosystem file of PM2, as its module exports it: `{"apps": [...], "deploy": {...}}`.
public struct EcosystemFile: Equatable, Sendable {
    /// The apps.
    public var apps: [JSONObject] = []
    /// Keys beside `apps`.
    public var others: [String] = []

    /// Reads the exported value.
    ///
    /// - Throws: `MigrationError` when there is no app in it.
    public init(_ value: JSONValue) throws(MigrationError) {
        let list: JSONValue
        switch value {
        case .array: list = value
        case .object(let root) where root["apps"] != nil:
            list = root["apps"] ?? .null
            others = root.keys.filter { $0 != "apps" }
        case .object(let app) where app["script"] != nil: list = value
        case .object, .null, .bool, .number, .string:
            throw MigrationError("it exports no object with \"apps\"")
        }
        for app in list.array ?? [list] {
            guard let members = app.object, ["script", "cmd", "command"].contains(where: { members[$0] != nil }) else {
                throw MigrationError("an app has no \"script\"")
            }
            apps.append(members)
        }
        if apps.isEmpty { throw MigrationError("\"apps\" is empty") }
    }

    /// Reads JSON.
    ///
    /// - Throws: `MigrationError` for bytes that are no JSON.
    public init(bytes: [UInt8]) throws(MigrationError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw MigrationError("\(error)")
        }
        try self.init(value)
    }

    /// The services of pm that do the same.
    ///
    /// - Throws: `MigrationError` for a quote that is not closed.
    public func migration(_ context: MigrationContext) throws(MigrationError) -> Migration {
        var migration = Migration()
        for app in apps { migration.add(try EcosystemApp(app, context).draft()) }
        for key in others {
            let advice =
                key == "deploy"
                ? "a few lines of shell, see Docs/Cookbook.md, Deploy from CI" : "pm does not know this field of PM2"
            migration.fields.append(MigratedField("", key, .noEquivalent(advice)))
        }
        return migration
    }
}

/// One app of an ecosystem file.
struct EcosystemApp {
    let app: JSONObject
    let context: MigrationContext
    let directory: String
    let name: String

    init(_ app: JSONObject, _ context: MigrationContext) {
        self.app = app
        self.context = context
        directory = Paths.resolve(app["cwd"]?.string ?? ".", from: context.directory)
        let script = Self.text(app["script"] ?? app["cmd"] ?? app["command"]) ?? ""
        let file = Paths.name(of: script.split(separator: " ").first.map(String.init) ?? script)
        let base = file.lastIndex(of: ".").flatMap { $0 == file.startIndex ? nil : String(file[..<$0]) } ?? file
        name = Self.text(app["name"]) ?? base
    }

    func draft() throws(MigrationError) -> ServiceDraft {
        var draft = ServiceDraft(name)
        draft.mapping.restart.condition = .always
        draft.mapping.isAutostart = true
        draft.mapping.stop = StopSequence(steps: [StopStep(signal: 2, wait: .seconds(10))])
        try addProgram(&draft)
        addEnvironment(&draft)
        addNodeOptions(&draft)
        for (key, value) in app where value != .null {
            if addProgramField(key, &draft) { continue }
            if addPolicy(key, value, &draft) || addInstances(key, value, &draft) { continue }
            if addRights(key, value, &draft) || Self.answer(key, &draft) { continue }
            if key.hasPrefix("env_") {
                stage(key, &draft)
            } else {
                draft.missing(key, "pm does not know this field of PM2")
            }
        }
        return draft
    }

    /// The text of a string, number or boolean.
    static func text(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text): text
        case .number(let number): number.text
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object, nil: nil
        }
    }

    static func words(_ value: JSONValue?) throws(MigrationError) -> [String] {
        if let list = value?.array { return list.compactMap(text) }
        guard let line = text(value) else { return [] }
        return try ShellLine.split(line).words
    }

    // MARK: the program

    private var interpreter: String? { Self.text(app["interpreter"] ?? app["exec_interpreter"]) }

    private func addProgram(_ draft: inout ServiceDraft) throws(MigrationError) {
        let script = Self.text(app["script"] ?? app["cmd"] ?? app["command"]) ?? ""
        let arguments = try Self.words(app["args"])
        if script.contains(" "), !context.exists(Paths.resolve(script, from: directory)) {
            return draft.runShell(script, in: directory, context)
        }
        let isFile = script.utf8.contains(UInt8(ascii: "/")) || Self.isScript(script) || isThere(script)
        let file = isFile && !script.hasPrefix("/") && !script.hasPrefix(".") ? "./" + script : script
        let options = try nodeWords()
        switch interpreter {
        case nil, "node", "nodejs", "none", "":
            let needsWords = !Self.goInVariable(options)
            if needsWords, Self.isScript(script) {
                draft.run(["node"] + options + [script] + arguments, in: directory, context)
            } else {
                draft.run([file] + arguments, in: directory, context)
            }
        case .some(let program): draft.run([program] + options + [script] + arguments, in: directory, context)
        }
    }

    private func isThere(_ script: String) -> Bool { context.exists(Paths.resolve(script, from: directory)) }

    private static func isScript(_ script: String) -> Bool {
        [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"].contains { script.hasSuffix($0) }
    }

    private func nodeWords() throws(MigrationError) -> [String] {
        var words: [String] = []
        for key in ["node_args", "nodeArgs", "interpreter_args", "interpreterArgs"] {
            words += try Self.words(app[key])
        }
        return words
    }

    /// True for options that Node takes from `NODE_OPTIONS`.
    private static func goInVariable(_ words: [String]) -> Bool {
        let others = ["--expose", "--eval", "-e", "-p", "--print", "--test", "--watch", "--prof", "--v8", "--run"]
        return words.allSatisfy { word in word.hasPrefix("--") && !others.contains { word.hasPrefix($0) } }
    }

    private var isNode: Bool { [nil, "node", "nodejs", ""].contains(interpreter) }

    private func addNodeOptions(_ draft: inout ServiceDraft) {
        // The program was read without an error before.
        let words = (try? nodeWords()) ?? []
        if isNode, !words.isEmpty, Self.goInVariable(words) { draft.addNodeOptions(words) }
        if app["source_map_support"]?.bool == true { draft.addNodeOptions(["--enable-source-maps"]) }
    }

    private func addProgramField(_ key: String, _ draft: inout ServiceDraft) -> Bool {
        switch key {
        case "name": draft.became(key, "the key in mapping")
        case "script", "cmd", "command":
            let isShell = draft.service.definition.path == "/bin/sh"
            draft.became(key, isShell ? "path, cli (through /bin/sh)" : "path of the container")
        case "args": draft.became(key, "cli")
        case "cwd": draft.became(key, "cwd")
        case "interpreter", "exec_interpreter":
            if isNode || interpreter == "none" {
                draft.needless(key, "pm runs a script by its first line or its name")
            } else {
                draft.became(key, "path of the container, with the script in cli")
            }
        case "node_args", "nodeArgs", "interpreter_args", "interpreterArgs":
            let inVariable = isNode && draft.mapping.env.contains { $0.name == "NODE_OPTIONS" }
            draft.became(key, inVariable ? "env.NODE_OPTIONS" : "cli")
        case "source_map_support":
            if app[key]?.bool == true {
                draft.became(key, "env.NODE_OPTIONS")
            } else {
                draft.needless(key, "pm adds no source maps by itself")
            }
        case "env": draft.became(key, "env")
        case "port": draft.became(key, "env.PORT")
        default: return false
        }
        return true
    }

    // MARK: the environment

    private func addEnvironment(_ draft: inout ServiceDraft) {
        if let port = Self.text(app["port"]) { draft.set("PORT", port) }
        add(app["env"], &draft)
        if let stage = context.stage { add(app["env_" + stage], &draft) }
    }

    private func add(_ variables: JSONValue?, _ draft: inout ServiceDraft) {
        for (name, value) in variables?.object ?? JSONObject() {
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")) else { continue }
            let text = Self.text(value)
            draft.set(name, text ?? (value == .null ? "" : value.text))
        }
    }

    private func stage(_ key: String, _ draft: inout ServiceDraft) {
        let name = String(key.dropFirst(4))
        if name == context.stage {
            draft.became(key, "env, over that of env")
        } else {
            draft.missing(
                key, "pm import --env \(name.shellWord) uses these; else write them into a file and name it in envFiles"
            )
        }
    }
}
