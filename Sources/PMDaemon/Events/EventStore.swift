import JSON
import PMAPI
import PMLogs
import PMModel
import PMSystem

/// The events of the daemon and its services: gives them their numbers, keeps them in a file and tells those who follow.
///
/// Those of one turn are written together, after what they lead to, and not synced: nobody waits for the disk.
@PMActor
final class EventStore {
    /// Number of an observer.
    typealias Observation = UInt64

    /// Events that the disk refuses, up to so many bytes, wait for it; then the oldest of those that make most go.
    private static let mostWaitingBytes = 1 << 18  // bounded: a literal
    private static let longestMessage = 1024
    private static let firstRetry = Duration.seconds(1)
    private static let lastRetry = Duration.seconds(30)

    private let reactor: Reactor
    private let onTrouble: @PMActor (String) -> Void
    private var file: EventFile
    private var lastSeq: UInt64 = 0
    /// Lines that are not on disk yet.
    private var waiting = WaitingEvents()
    private var isFlushPlanned = false
    private var failure: SystemError?
    private var retryDelay = EventStore.firstRetry
    /// Lines of the last exits in the file; nil: nobody has asked yet.
    private var former: [String: [UInt8]]?
    private var observers: [(Observation, @PMActor (EventRecord) -> Void)] = []
    private var lastObservation: Observation = 0
    /// The newest events, while somebody follows.
    private var recent: RecentEvents?
    private var followers: [EventFollowing] = []

    /// Goes on with the events of an earlier daemon.
    init(
        stateDirectory: String, reactor: Reactor, limitBytes: Int = EventFile.usualLimitBytes,
        onTrouble: @escaping @PMActor (String) -> Void
    ) {
        (self.reactor, self.onTrouble) = (reactor, onTrouble)
        file = EventFile(EventFile.path(in: stateDirectory), limitBytes: limitBytes)
        do throws(SystemError) {
            lastSeq = try file.lastSeq()
        } catch {
            onTrouble("earlier events are not known: \(error)")
        }
    }

    /// The path of the file.
    var path: String { file.path }
    /// The number of the newest event.
    var newest: UInt64 { lastSeq }

    /// The reason why events cannot be written, in words; nil when they can.
    var problem: String? {
        failure.map { "the last events (\(waiting.count)) are only in memory: \($0)" }
    }

    /// Gives an event its number and its time, tells the observers, and keeps it with the next flush.
    func publish(_ event: EventRecord) {
        var event = event
        lastSeq += 1
        (event.seq, event.at) = (lastSeq, reactor.clock.wall())
        event.message = event.message.shortened(to: Self.longestMessage)
        var line = event.json.serialized()
        if line.count >= EventReader.longestLine {
            event.details = ["omitted": "the details are too long for the file of events"]
            line = event.json.serialized()
        }
        if event.kind == .exit, let service = event.service { former?[service.escapedForJSON] = line }
        waiting.add(line + [UInt8(ascii: "\n")], most: Self.mostWaitingBytes)
        // After a failure the timer flushes.
        if !isFlushPlanned, failure == nil {
            isFlushPlanned = true
            reactor.atEndOfTurn { [weak self] in self?.flush() }
        }
        recent?.add(event, bytes: line.count)
        for follower in followers { follower.available() }
        for (_, body) in observers { body(event) }
    }

    // MARK: observers

    /// Calls `body` with each event from now on, in the turn in which it happens.
    func observe(_ body: @escaping @PMActor (EventRecord) -> Void) -> Observation {
        lastObservation += 1
        observers.append((lastObservation, body))
        return lastObservation
    }

    /// Ends observing.
    func endObserving(_ observation: Observation) { observers.removeAll { $0.0 == observation } }

    /// Follows from the next event on. A follower that reads too slowly misses some, and gets their number.
    func follow() -> EventFollowing {
        recent = recent ?? RecentEvents()
        let following = EventFollowing(from: lastSeq + 1) { [weak self] in
            self?.recent?.event($0)
        } onCancel: { [weak self] following in
            self?.endFollowing(following)
        }
        followers.append(following)
        return following
    }

    private func endFollowing(_ following: EventFollowing) {
        followers.removeAll { $0 === following }
        if followers.isEmpty { recent = nil }
    }

    // MARK: the file

    /// Lines that the disk has refused so far.
    var unwritten: [UInt8] { waiting.lines }

    /// Writes events that are not on disk yet.
    func flush() {
        isFlushPlanned = false
        guard !waiting.isEmpty else { return }
        do throws(SystemError) {
            try file.append(waiting.lines)
            let lost = waiting.dropped
            if failure != nil {
                onTrouble("events are on disk again, \(lost == 0 ? "none is lost" : "\(lost) of them are lost")")
            }
            waiting = WaitingEvents()
            failure = nil
            retryDelay = Self.firstRetry
        } catch {
            // One message until it works again: a full disk must not fill the daemon's own log.
            if failure == nil { onTrouble("events cannot be kept: \(error)") }
            failure = error
            reactor.after(retryDelay) { [weak self] in self?.flush() }
            // bounded: a Duration of at most a minute.
            retryDelay = min(retryDelay * 2, Self.lastRetry)
        }
    }

    /// The last death of a unit, if it is known.
    func lastDeath(of unit: String) -> DeathRecord? {
        if former == nil {
            do throws(SystemError) {
                former = try file.lastExits()
            } catch {
                former = [:]
                onTrouble("earlier deaths are not known: \(error)")
            }
        }
        guard let line = former?[unit.escapedForJSON] else { return nil }
        // A line of another version: then nothing is known.
        return (try? EventRecord(json: JSONValue(parsing: line)))?.death
    }
}

/// Lines that wait to be written.
struct WaitingEvents {
    /// The lines in their order.
    private(set) var lines: [UInt8] = []
    /// Their number.
    private(set) var count = 0
    /// The number of those that were dropped.
    private(set) var dropped = 0

    /// True when none waits.
    var isEmpty: Bool { lines.isEmpty }

    /// Adds a line with its end; when there are too many, half of them go, each service's oldest first.
    mutating func add(_ line: [UInt8], most: Int) {
        lines += line
        count += 1
        guard lines.count > most else { return }
        let kept = lines.withUnsafeBytes { EventFile.kept(of: $0, within: most / 2) }
        dropped += count - kept.count
        (lines, count) = (kept.bytes, kept.count)
    }
}

extension String {
    /// The text, cut at a whole character where it is too long.
    fileprivate func shortened(to most: Int) -> String {
        guard utf8.count > most else { return self }
        let head = Array(utf8.prefix(most))
        return String(decoding: head[..<TornText.whole(head)], as: UTF8.self) + "…"
    }
}
