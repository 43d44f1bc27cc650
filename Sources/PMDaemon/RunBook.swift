import JSON
import PMModel
import PMSupervisor
import PMSystem

/// What start requests added to the configuration, kept on disk for the daemon's successors.
///
/// `<state>/runs.json` has a member for each unit that was started under another name, with arguments of its own or under
/// the debugger: `{"of", "args", "inspect"}`. It lasts as long as the holder: a pm that is started anew begins without.
@PMActor
final class RunBook {
    /// One unit's start.
    struct Run: Equatable {
        /// The name that the configuration has, when the unit runs under another one.
        var base: String?
        var options = RunOptions()

        var isPlain: Bool { base == nil && options == RunOptions() }
    }

    private let path: String
    private let onTrouble: @PMActor (String) -> Void
    private(set) var runs: [String: Run] = [:]

    init(stateDirectory: String, onTrouble: @escaping @PMActor (String) -> Void) {
        path = stateDirectory + "/runs.json"
        self.onTrouble = onTrouble
    }

    /// Reads what an earlier daemon of the same holder wrote; the file of an earlier holder is removed.
    func open(isFirst: Bool) {
        do {
            guard try Files.status(path) != nil else { return }
            if isFirst { return try Files.remove(path) }
            for (name, value) in try JSONValue(parsing: Files.read(path)).object ?? JSONObject() {
                runs[name] = Run(json: value)
            }
        } catch {
            onTrouble("arguments and names given to `pm start` are not known any more: \(error)")
        }
    }

    /// How many bytes of arguments are kept of all units.
    static let longest = 8 << 20

    /// Whether there is room for what a start adds.
    func hasRoom(for options: RunOptions, of unit: String) -> Bool {
        guard !options.arguments.isEmpty else { return true }
        let others = runs.reduce(0) { $1.key == unit ? $0 : $0 + $1.value.size }
        return others + RunBook.Run(base: nil, options: options).size <= Self.longest
    }

    /// Keeps what a start adds, before it is performed.
    func keep(_ run: Run, of unit: String) {
        guard runs[unit] ?? Run() != run else { return }
        runs[unit] = run.isPlain ? nil : run
        let entries = runs.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) }
        do throws(SystemError) {
            try Files.replace(path, with: JSONValue.object(JSONObject(entries)).serialized())
        } catch {
            onTrouble("after a crash of the daemon \(unit) would run without the options of this start: \(error)")
        }
    }
}

extension RunBook.Run {
    /// Bytes of its arguments.
    fileprivate var size: Int { options.arguments.reduce(0) { $0 + $1.utf8.count } }

    /// Reads what `json` gives.
    init(json: JSONValue) {
        base = json["of"]?.string
        options.arguments = json["args"]?.array?.compactMap(\.string) ?? []
        options.inspection = json["inspect"]?.string.flatMap(Inspection.init) ?? .none
    }

    /// `{of?, args?, inspect?}`.
    var json: JSONValue {
        var members = JSONObject()
        if let base { members["of"] = .string(base) }
        if !options.arguments.isEmpty { members["args"] = .array(options.arguments.map { .string($0) }) }
        if options.inspection != .none { members["inspect"] = .string(options.inspection.rawValue) }
        return .object(members)
    }
}
