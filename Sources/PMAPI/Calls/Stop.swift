public import JSON

/// `stop [name|null, options]`: stops one service; without a name, or with `pm`, all of them and then the daemon.
public struct Stop: DaemonCall, Equatable {
    /// The service; nil for all and the daemon.
    public var name: String?
    /// Ends the processes by SIGKILL at once, also those of a stop under way.
    public var isNow = false

    /// Stops a service; nil or `pm`: everything and the daemon.
    public init(name: String?) { self.name = name == "pm" ? nil : name }

    /// The method's name on the wire.
    public static let method = Method.stop

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .stop, doc: "Stops a service; without a name all services and then the daemon", usage: "stop [process]",
        sources: ["options.process", "options"],
        options: [.init("now", doc: "end the processes by SIGKILL at once")])

    /// Reads `[name|null, options]`; throws a 400 for a name that is no text.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(name: try parameters.optionalText(0, "name"))
        isNow = try parameters.object(1, named: "options").flag("now")
    }

    /// Parameters on the wire: `[name|null, {now?}]`.
    public var params: JSONValue {
        [name.map { .string($0) } ?? .null, isNow ? ["now": true] : [:]]
    }

    /// The services that have ended, and the processes that have not.
    public struct Answer: WireValue, Equatable {
        /// A process that outlived SIGKILL.
        public struct Survivor: Equatable, Sendable {
            /// The service it belongs to.
            public var name: String
            /// Process id of the survivor.
            public var pid: Int32

            /// Names a survivor.
            public init(name: String, pid: Int32) {
                self.name = name
                self.pid = pid
            }
        }

        /// Services that ran and do not any more, in the order they ended.
        public var stopped: [String]
        /// Processes that could not be ended.
        public var survivors: [Survivor]
        /// Sentences about processes that may have belonged to the service: nothing shows to which service they belong.
        public var problems: [String]

        /// Tells what was stopped.
        public init(stopped: [String], survivors: [Survivor] = [], problems: [String] = []) {
            self.stopped = stopped
            self.survivors = survivors
            self.problems = problems
        }

        /// Reads an answer; an answer without a result, as the reference sends it, has no names.
        public init(json: JSONValue) throws(APIError) {
            stopped = (json["stopped"]?.array ?? []).compactMap(\.string)
            survivors = (json["survivors"]?.array ?? []).compactMap { entry in
                guard let name = entry["name"]?.string, let pid = entry["pid"]?.int else { return nil }
                return Survivor(name: name, pid: Int32(clamping: pid))
            }
            problems = (json["problems"]?.array ?? []).compactMap(\.string)
        }

        /// `{stopped: [name], survivors: [{name, pid}]}`, with problems where there are any.
        public var json: JSONValue {
            let left = survivors.map { survivor -> JSONValue in
                ["name": .string(survivor.name), "pid": .number(JSONNumber(Int(survivor.pid)))]
            }
            var members = JSONObject()
            members["stopped"] = .array(stopped.map { .string($0) })
            members["survivors"] = .array(left)
            if !problems.isEmpty { members["problems"] = .array(problems.map { .string($0) }) }
            return .object(members)
        }
    }
}
