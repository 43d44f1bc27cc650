import JSON
import PMModel
import PMSupervisor
import PMSystem

/// The record of each unit for this daemon's successors, beside the children that pm-init holds: whether it shall run
/// and how it came to rest, and what its last start added to the configuration.
///
/// It is a list of entries in a file (`LedgerFile`) that pm-init keeps open from one daemon to the next. A new entry goes to
/// the end, so that nothing that was true before is lost while it is written; of several of one unit the last counts. A
/// daemon that is killed in the middle of an entry leaves one that is not whole, which its successor sees by the checksum.
/// Where the file cannot be written, the list is in memory that pm-init keeps, and lasts as long as pm-init.
@PMActor
final class UnitLedger {
    /// Additions of a start.
    struct Run: Equatable {
        /// The name that the configuration has, when the unit runs under another one.
        var base: String?
        var options = RunOptions()

        var isPlain: Bool { base == nil && options == RunOptions() }
        /// Bytes of its arguments.
        var size: Int { options.arguments.reduce(0) { $0 + $1.utf8.count } }
    }

    /// Origin of the entries that a daemon begins with.
    enum Origin {
        /// There are none: this pm is started for the first time, or was stopped, or the machine has started since.
        case none
        /// The daemon before; pm-init has gone on.
        case daemon
        /// The daemon before, and pm-init was killed with it: no process of a service is left.
        case killedInit
    }

    private let channel: InitChannel
    private let onTrouble: @PMActor (String) -> Void
    /// The place of the file; nil: the list is in memory alone.
    private var place: LedgerFile?
    private var file: SharedFD?
    /// The end of the last whole entry.
    private var end = 0
    private var entries: [String: LedgerEntry] = [:]
    /// Bytes of arguments of all units.
    private var argumentBytes = 0
    /// Above this size the list is written new, with what counts.
    private var mostBytes = UnitLedger.leastBytes

    /// The name under which pm-init keeps it.
    static let name = "units"
    private static let leastBytes = 256 << 10
    /// Limit of stored arguments of all units, in bytes.
    static let longest = 8 << 20

    init(_ channel: InitChannel, _ place: LedgerFile?, onTrouble: @escaping @PMActor (String) -> Void) {
        self.channel = channel
        self.place = place
        self.onTrouble = onTrouble
    }

    /// Takes over what the daemon before has left with pm-init, or else in the file; nil: pm-init keeps nothing of a daemon
    /// before. `writeFresh` follows.
    ///
    /// - Parameter rename: another name of a service; its entries get it.
    func open(_ left: SharedFD?, _ rename: ServiceRename? = nil) -> Origin {
        do throws(SystemError) {
            entries = LedgerEntry.read(try bytes(left) ?? [])
            if let rename { self.rename(rename) }
        } catch {
            onTrouble("what services were to do under the daemon before is not known any more: \(error)")
        }
        argumentBytes = entries.values.reduce(0) { $0 + $1.run.size }
        guard !entries.isEmpty else { return .none }
        return left == nil ? .killedInit : .daemon
    }

    private func rename(_ rename: ServiceRename) {
        let renamed = entries.map { (unit: $0, name: rename.name(of: $0), entry: $1.renamed(rename)) }
        // What was left under the new name is not about this service.
        entries = Dictionary(renamed.map { ($0.name, $0.entry) }) { first, _ in first }
        for one in renamed where one.name != one.unit { entries[one.name] = one.entry }
    }

    /// Writes the entries into a file of its own, if no change has done that: behind an entry that is not whole nothing could be
    /// added.
    func writeFresh() {
        if file == nil { rewrite() }
    }

    private func bytes(_ left: SharedFD?) throws(SystemError) -> [UInt8]? {
        guard let left else { return try place?.left() }
        guard let place else { return try MemoryFile.read(left) }
        return try place.entries(left)
    }

    /// Everything is to stop, and the next pm begins without these entries.
    func discard() {
        do throws(SystemError) {
            try place?.remove()
        } catch {
            onTrouble("the next pm will start what runs now: \(error)")
        }
        place = nil
    }

    /// The units that have an entry.
    var names: [String] { Array(entries.keys) }
    /// Additions of each unit's last start.
    var runs: [String: Run] { entries.compactMapValues { $0.run.isPlain ? nil : $0.run } }
    /// The last start of a unit.
    func run(of unit: String) -> Run { entries[unit]?.run ?? Run() }
    /// URLs of inspectors, by unit.
    var inspectors: [String: String] { entries.compactMapValues(\.inspector) }
    /// Intents of the previous daemon's units.
    var intents: [String: UnitIntent] { entries.compactMapValues(\.intent) }

    /// True when there is room for the additions of a start.
    func hasRoom(for options: RunOptions, of units: [String]) -> Bool {
        guard !options.arguments.isEmpty else { return true }
        let size = Run(base: nil, options: options).size
        return units.reduce(argumentBytes) { $0 - run(of: $1).size + size } <= Self.longest
    }

    /// Keeps what a start adds, before it is performed.
    func keep(_ run: Run, of unit: String) {
        guard self.run(of: unit) != run else { return }
        argumentBytes += run.size - self.run(of: unit).size
        precondition(argumentBytes >= 0, "arguments of units are counted that none has")
        change([unit]) { $0.run = run }
    }

    /// Fingerprints of what the process of a unit was started with; nil: nothing is known of it.
    func digest(of unit: String) -> [String: UInt64]? {
        entries[unit].flatMap { $0.digest.isEmpty ? nil : $0.digest }
    }

    /// Keeps what the process of a unit is started with.
    func keep(digest: [String: UInt64], of unit: String) {
        guard entries[unit]?.digest ?? [:] != digest else { return }
        change([unit]) { $0.digest = digest }
    }

    /// Keeps the URL of a unit's inspector.
    func keep(inspector url: String, of unit: String) {
        change([unit]) { $0.inspector = url }
    }

    /// Forgets a unit that is not in the configuration any more.
    func forget(_ unit: String) {
        keep(Run(), of: unit)
        change([unit]) { $0 = LedgerEntry() }
    }

    /// Keeps whether units shall run.
    func keep(_ intent: UnitIntent?, of units: [String]) {
        change(units) { $0.intent = intent }
    }

    // MARK: writing

    private func change(_ units: [String], _ body: (inout LedgerEntry) -> Void) {
        var bytes: [UInt8] = []
        for unit in units {
            var entry = entries[unit] ?? LedgerEntry()
            body(&entry)
            entries[unit] = entry == LedgerEntry() ? nil : entry
            entry.append(as: unit, to: &bytes)
        }
        append(bytes)
    }

    private func append(_ bytes: [UInt8]) {
        guard let file, end + bytes.count <= mostBytes else { return rewrite() }
        do throws(SystemError) {
            try MemoryFile.write(bytes, at: end, to: file)
            end += bytes.count
        } catch {
            // Of the disk: memory takes them.
            rewrite()
        }
    }

    /// Writes what counts into a new file, or else into memory, and lets pm-init keep that instead.
    private func rewrite() {
        var bytes: [UInt8] = []
        for (unit, entry) in entries { entry.append(as: unit, to: &bytes) }
        mostBytes = max(Self.leastBytes, 4 * bytes.count)
        do throws(SystemError) {
            let fresh = try replace(with: bytes)
            try channel.hold(Self.name, fresh.file)
            (file, end) = fresh
        } catch {
            fail(error)
        }
    }

    private func replace(with bytes: [UInt8]) throws(SystemError) -> (file: SharedFD, end: Int) {
        if let place {
            do throws(SystemError) {
                return try place.replace(with: bytes, room: mostBytes - bytes.count)
            } catch {
                onTrouble(
                    "if pm-init is killed, services will begin as the configuration says, not as they are: \(error)")
                // An old list must not be taken for the one that counts. Where it cannot be removed, it stays.
                try? place.remove()
                self.place = nil
            }
        }
        return (try MemoryFile.make(bytes, named: "pm-units"), bytes.count)
    }

    private func fail(_ error: SystemError) {
        onTrouble("after a crash of the daemon some services would not go on as they are: \(error)")
    }
}

/// The record of one unit.
struct LedgerEntry: Equatable {
    var run = UnitLedger.Run()
    var intent: UnitIntent?
    /// The URL of the inspector of the last incarnation that had one.
    var inspector: String?
    /// Fingerprints of what its process was started with, by the keys of the configuration.
    var digest: [String: UInt64] = [:]

    private static let head = 12

    /// Appends length, checksum and content, a JSON object.
    func append(as unit: String, to bytes: inout [UInt8]) {
        let content = json(unit).serialized()
        withUnsafeBytes(of: UInt32(clamping: content.count).littleEndian) { bytes += $0 }
        withUnsafeBytes(of: Fingerprint(of: content).value.littleEndian) { bytes += $0 }
        bytes += content
    }

    /// Reads all whole entries; of several of one unit the last.
    static func read(_ bytes: [UInt8]) -> [String: LedgerEntry] {
        var entries: [String: LedgerEntry] = [:]
        var rest = bytes[...]
        while rest.count >= head {
            let length = Int(number(rest.prefix(4)))
            let content = rest.dropFirst(head).prefix(length)
            guard content.count == length, number(rest.dropFirst(4).prefix(8)) == Fingerprint(of: content).value,
                // What has its checksum was written by a daemon, and so is JSON.
                let json = try? JSONValue(parsing: content), let unit = json["unit"]?.string
            else { break }
            let entry = LedgerEntry(json)
            entries[unit] = entry == LedgerEntry() ? nil : entry
            rest = rest.dropFirst(head + length)
        }
        return entries
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func json(_ unit: String) -> JSONValue {
        var members: JSONObject = ["unit": .string(unit)]
        if let base = run.base { members["of"] = .string(base) }
        if !run.options.arguments.isEmpty { members["args"] = .array(run.options.arguments.map { .string($0) }) }
        if let option = run.options.inspection.option { members["inspect"] = .string(String(option.dropFirst(2))) }
        if let inspector { members["inspector"] = .string(inspector) }
        if !digest.isEmpty {
            let texts = digest.sorted { $0.key < $1.key }.map {
                ($0.key, JSONValue.string(String($0.value, radix: 16)))
            }
            members["made"] = .object(JSONObject(texts))
        }
        switch intent {
        case .wanted: members["wanted"] = true
        case .renewing(let incarnation):
            members["wanted"] = true
            members["renews"] = JSONValue(Int(clamping: incarnation))
        case .awaiting(let dependency, let snapshot):
            // A daemon that does not know "awaits" reads that it is wanted.
            members["wanted"] = true
            members["awaits"] = [
                "name": .string(dependency.name), "onStop": .string(dependency.onStop.rawValue),
                "rest": Self.json(snapshot),
            ]
        case .resting(let snapshot): members["rest"] = Self.json(snapshot)
        case nil: break
        }
        return .object(members)
    }

    private init(_ json: JSONValue) {
        run.base = json["of"]?.string
        run.options.arguments = json["args"]?.array?.compactMap(\.string) ?? []
        run.options.inspection = json["inspect"]?.string.flatMap { Inspection(option: "--\($0)") } ?? .none
        inspector = json["inspector"]?.string
        for (key, value) in json["made"]?.object ?? [:] { digest[key] = value.string.flatMap { UInt64($0, radix: 16) } }
        if let awaits = json["awaits"], let name = awaits["name"]?.string,
            let onStop = awaits["onStop"]?.string.flatMap({ Dependency.OnStop(rawValue: $0) }),
            let snapshot = Self.snapshot(awaits["rest"])
        {
            intent = .awaiting(Dependency(name, onStop: onStop), snapshot)
        } else if json["wanted"]?.bool == true {
            intent = json["renews"]?.int.flatMap { UInt64(exactly: $0) }.map { .renewing(incarnation: $0) } ?? .wanted
        } else {
            intent = Self.snapshot(json["rest"]).map { .resting($0) }
        }
    }

    /// The entry with another name of a service that it is about.
    func renamed(_ rename: ServiceRename) -> LedgerEntry {
        var entry = self
        entry.run.base = run.base.map(rename.name)
        if case .awaiting(let dependency, let snapshot) = intent {
            let name = rename.name(of: dependency.name)
            entry.intent = .awaiting(Dependency(name, onStop: dependency.onStop), snapshot)
        }
        return entry
    }

    private static func json(_ snapshot: UnitSnapshot) -> JSONValue {
        .array(snapshot.encode().map { JSONValue(Int($0)) })
    }

    private static func snapshot(_ json: JSONValue?) -> UnitSnapshot? {
        let bytes = json?.array?.compactMap { $0.int.flatMap { UInt8(exactly: $0) } }
        return bytes.flatMap { UnitSnapshot(decoding: $0) }
    }

    init() {}
}
