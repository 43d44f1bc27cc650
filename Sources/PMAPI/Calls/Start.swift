public import JSON
public import PMModel

/// `start [name, options, context?]`: starts a service and what it depends on.
public struct Start: DaemonCall, Equatable {
    /// Use of Node's inspector.
    public typealias Inspection = PMModel.Inspection

    /// The service: a mapping, else a definition.
    public var name: String
    /// Answer when it is ready, not when it is spawned.
    public var waits = false
    /// Answer a moment after the spawn: a program that ends by then has failed to start.
    public var settles = false
    /// Run it under another name.
    public var alias: String?
    /// Run it under a random name.
    public var isNew = false
    /// Use of Node's inspector.
    public var inspection = Inspection.none
    /// Sets (true) or clears (false) starting with the daemon; nil leaves it as it is.
    public var autostart: Bool?
    /// Arguments for the program, after those of the mapping.
    public var arguments: [String] = []

    /// A plain start.
    public init(name: String) { self.name = name }

    /// The method's name on the wire.
    public static let method = Method.start

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .start, doc: "Starts a service and the services that it depends on", usage: "start <program> [...args]",
        sources: ["options.program", "options", "context"],
        options: launchOptions + [
            .init("new", doc: "run the service under a random name"),
            .init("name", value: true, doc: "run the service under this name"),
            .init("autostart", doc: "start the service whenever the daemon starts"),
            settleOption,
        ])

    /// The options that `start` and `restart` share.
    static let launchOptions: [CommandDescription.Option] = [
        .init("wait", aliases: ["w"], doc: "answer when the service is ready, not when its process is started"),
        .init("inspect", doc: "run Node with its inspector; the value is a port, or HOST:PORT"),
        .init(
            "inspectBrk", aliases: ["inspect-brk"],
            doc: "as inspect, but wait for a debugger before the first line runs"),
    ]

    /// The option of those that want to hear of a program that cannot run.
    static let settleOption = CommandDescription.Option(
        "settle", doc: "answer a moment after the spawn: a program that ends by then has failed")

    /// Reads `[name, options, context]`; arguments come from `options.args` or `context.args`, and options that pm does
    /// not know reach the program as `--name=value`. Throws a 400 for a missing name or a wrong type.
    public init(_ parameters: Parameters) throws(APIError) {
        let options = try parameters.object(1, named: "options")
        let program = try options.text("program")
        guard let name = try parameters.optionalText(0, "name") ?? program else {
            throw APIError.badRequest("start needs the name of a service", hint: "pm ls")
        }
        self.init(name: name)
        try read(options: options)
        if arguments.isEmpty {
            arguments = try parameters.object(2, named: "context").texts("args")
        }
        arguments += Self.foreignOptions(options)
    }

    mutating func read(options: JSONObject) throws(APIError) {
        waits = options.flag("wait")
        settles = options.flag("settle")
        alias = try options.text("name")
        isNew = options.flag("new")
        inspection = try Inspection(options)
        autostart = options["autostart"].flatMap { $0 == .null ? nil : $0.isFlag }
        arguments = try options.texts("args")
    }

    /// `[name, {options}]`, without options that are at their default.
    public var params: JSONValue { [.string(name), .object(optionMembers)] }

    var optionMembers: JSONObject {
        var options = JSONObject()
        if waits { options["wait"] = true }
        if settles { options["settle"] = true }
        if let alias { options["name"] = .string(alias) }
        if isNew { options["new"] = true }
        inspection.add(to: &options)
        if let autostart { options["autostart"] = .bool(autostart) }
        if !arguments.isEmpty { options["args"] = .array(arguments.map { .string($0) }) }
        return options
    }

    /// Members of `options` that speak to pm or to the reference's command line, not to the program.
    private static let ownOptions: Set<String> = [
        "wait", "settle", "name", "new", "inspect", "inspectBrk", "inspect-brk", "autostart", "args", "program",
        "verbose",
        "configFile", "config-file", "pmSock", "pm-sock", "output", "tls", "help", "keepAttached", "keep-attached",
    ]

    private static func foreignOptions(_ options: JSONObject) -> [String] {
        var arguments: [String] = []
        for (key, value) in options where !ownOptions.contains(key) {
            guard let text = value.string ?? value.scalarText else { continue }
            arguments.append("--\(key)=\(text)")
        }
        return arguments
    }

    /// The running program.
    public struct Answer: WireValue, Equatable {
        /// The name it runs under.
        public var name: String
        /// One of `ServiceState`.
        public var state: String
        /// Process id of the main process; nil when none runs.
        public var pid: Int32?
        /// True when the service is ready; nil if the daemon does not send it.
        public var isReady: Bool?
        /// The URL of its inspector, for a debugger; nil when none listens.
        public var inspector: String?
        /// True when the service ran before the call.
        public var wasRunning = false
        /// The program that was executed.
        public var execPath: String
        /// Arguments of the program.
        public var arguments: [String]
        /// Working directory of the program.
        public var cwd: String

        /// Tells what was started.
        public init(name: String, state: ServiceState, execPath: String, arguments: [String], cwd: String) {
            self.name = name
            self.state = state.rawValue
            self.execPath = execPath
            self.arguments = arguments
            self.cwd = cwd
        }

        /// Reads an answer; the reference's has no `name` and no `state`.
        public init(json: JSONValue) throws(APIError) {
            guard let members = json.object else { throw APIError.malformedAnswer("an object was expected", json) }
            name = members["name"]?.string ?? ""
            state = members["state"]?.string ?? ServiceState.starting.rawValue
            pid = members["pid"]?.int.map { Int32(clamping: $0) }
            isReady = members["ready"]?.bool
            inspector = members["inspector"]?.string
            wasRunning = members["wasRunning"]?.bool ?? false
            execPath = members["execPath"]?.string ?? ""
            arguments = (members["args"]?.array ?? []).compactMap(\.string)
            cwd = members["cwd"]?.string ?? ""
        }

        /// JSON on the wire: `{name, pid?, state, ready?, inspector?, wasRunning?, execPath, args, cwd}`.
        public var json: JSONValue {
            var members = JSONObject()
            members["name"] = .string(name)
            if let pid { members["pid"] = .number(JSONNumber(Int(pid))) }
            members["state"] = .string(state)
            if let isReady { members["ready"] = .bool(isReady) }
            if let inspector { members["inspector"] = .string(inspector) }
            if wasRunning { members["wasRunning"] = true }
            members["execPath"] = .string(execPath)
            members["args"] = .array(arguments.map { .string($0) })
            members["cwd"] = .string(cwd)
            return .object(members)
        }
    }
}

extension Start.Inspection {
    init(_ options: JSONObject) throws(APIError) {
        let names = ["inspectBrk", "inspect-brk", "inspect"]
        guard let name = names.first(where: { options.flag($0) }) else {
            self.init(.none)
            return
        }
        let mode: Mode = name == "inspect" ? .inspect : .inspectBreak
        guard let text = try options.text(name), text != "true" else {
            self.init(mode)
            return
        }
        guard let address = InspectorAddress(text) else {
            throw .badRequest("\(name) must be PORT or HOST:PORT, not \(text)", hint: "--inspect=9229, for example")
        }
        self.init(mode, at: address)
    }

    func add(to options: inout JSONObject) {
        let value = address.map { JSONValue.string($0.text) } ?? true
        switch mode {
        case .none: break
        case .inspect: options["inspect"] = value
        case .inspectBreak: options["inspectBrk"] = value
        }
    }
}
