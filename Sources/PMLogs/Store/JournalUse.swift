public import PMModel
public import PMSystem

/// Content of `<state>/journal`: the services of this daemon that have written to the system's journal, and how to find
/// their entries. Readers look into the journal only if this file exists.
public struct JournalUse: Equatable, Sendable {
    /// The units that the daemon ran in; an empty one where the user alone tells its services from others.
    public var units: Set<String>
    /// The daemon's user.
    public var user: UInt32
    /// Time of the first entry.
    public var since: WallTime

    /// Makes the content.
    public init(units: Set<String>, user: UInt32, since: WallTime) {
        self.units = units
        self.user = user
        self.since = since
    }

    private static func path(_ stateDirectory: String) -> String { stateDirectory + "/journal" }

    /// Reads the file of a state directory; nil when there is none.
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
    /// - Throws: `SystemError`; the previous content stays then.
    func write(_ stateDirectory: String) throws(SystemError) {
        let lines = ["since=\(since.nanoseconds)", "user=\(user)"] + units.sorted().map { "unit=\($0)" }
        try Files.replace(Self.path(stateDirectory), with: Array((lines.joined(separator: "\n") + "\n").utf8))
    }
}

/// Keeps the daemon's trace of the journal.
@PMActor
public final class JournalNote {
    /// The present content; nil while no service has written to the journal.
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
            onTrouble("cannot find out whether services have written to the journal before: \(error)")
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
            // The next daemon tries again, and reports it again.
            onTrouble("pm log will not read the journal after pm has ended: \(error)")
        }
    }
}
