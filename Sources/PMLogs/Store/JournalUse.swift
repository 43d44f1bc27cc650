public import PMModel
public import PMSystem

/// What `<state>/journal` says: services of this daemon have written to the system's journal, and how they are found
/// there. Who reads logs looks into the journal only where this file is.
public struct JournalUse: Equatable, Sendable {
    /// The units that the daemon ran in; an empty one where the user alone tells its services from others.
    public var units: Set<String>
    /// The daemon's user.
    public var user: UInt32
    /// From when on.
    public var since: WallTime

    /// Says something.
    public init(units: Set<String>, user: UInt32, since: WallTime) {
        self.units = units
        self.user = user
        self.since = since
    }

    private static func path(_ stateDirectory: String) -> String { stateDirectory + "/journal" }

    /// What is said in a state directory; nil when nothing is.
    ///
    /// - Throws: `SystemError` when the file cannot be read.
    public static func read(_ stateDirectory: String) throws(SystemError) -> JournalUse? {
        let path = path(stateDirectory)
        guard try Files.status(path) != nil else { return nil }
        var trace = JournalUse(units: [], user: 0, since: WallTime(nanoseconds: 0))
        for line in String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard words.count == 2 else { continue }
            switch words[0] {
            case "unit": trace.units.insert(words[1])
            case "user": trace.user = UInt32(words[1]) ?? 0
            case "since": trace.since = WallTime(nanoseconds: Int64(words[1]) ?? 0)
            default: continue  // what a later version may say, too
            }
        }
        return trace
    }

    /// Writes it into a state directory.
    ///
    /// - Throws: `SystemError`; what was said before stands then.
    func write(_ stateDirectory: String) throws(SystemError) {
        let lines = ["since=\(since.nanoseconds)", "user=\(user)"] + units.sorted().map { "unit=\($0)" }
        try Files.replace(Self.path(stateDirectory), with: Array((lines.joined(separator: "\n") + "\n").utf8))
    }
}

/// Keeps the daemon's trace of the journal.
@PMActor
public final class JournalNote {
    /// What is known; nil while no service has written to the journal.
    public private(set) var trace: JournalUse?
    private let stateDirectory: String
    private let user: UInt32
    private let clock: any TimeSource
    private let onTrouble: @PMActor (String) -> Void

    /// Reads what an earlier daemon kept.
    public init(
        _ stateDirectory: String, user: UInt32, clock: any TimeSource, onTrouble: @escaping @PMActor (String) -> Void
    ) {
        self.stateDirectory = stateDirectory
        self.user = user
        self.clock = clock
        self.onTrouble = onTrouble
        do throws(SystemError) {
            trace = try JournalUse.read(stateDirectory)
        } catch {
            onTrouble("whether services have written to the journal before is not known: \(error)")
        }
    }

    /// A service is about to write to the journal, of a daemon that runs in this unit.
    public func keep(unit: String) {
        if let trace, trace.units.contains(unit), trace.user == user { return }
        var kept = trace ?? JournalUse(units: [], user: user, since: clock.wall())
        kept.user = user
        kept.units.insert(unit)
        trace = kept
        do throws(SystemError) {
            try kept.write(stateDirectory)
        } catch {
            // It is told again with the next daemon, which tries again.
            onTrouble("pm log will not look into the journal after pm has ended: \(error)")
        }
    }
}
