import JSON
import PMAPI
import PMLogs
import PMModel
import PMRouting
import PMSystem

/// The answer to one call of `events`.
@PMActor
final class EventStream {
    /// Above so many bytes that wait for the caller, it is given time to read.
    private static let backlogLimitBytes = 256 << 10  // bounded: a literal

    private let request: ReadEvents
    private let query: EventQuery
    private let store: EventStore
    private let reactor: Reactor
    private let call: Responder
    private var reader: EventReader?
    private var following: EventFollowing?
    /// Up to which event the file has all.
    private let newest: UInt64

    /// Takes what is kept by now and, for a caller that follows, everything after it: in one turn, so that nothing is
    /// missing or comes twice.
    ///
    /// - Throws: a 500 when the file cannot be opened.
    init(_ request: ReadEvents, _ store: EventStore, _ reactor: Reactor, _ call: Responder) throws(APIError) {
        (self.request, self.store, self.reactor, self.call) = (request, store, reactor, call)
        store.flush()
        newest = store.newest
        query = EventQuery(request, now: reactor.clock.wall(), newest: newest)
        do throws(SystemError) {
            reader = try EventReader(store.path)
        } catch {
            throw .internalFailure("the events cannot be read: \(error)")
        }
        if request.follows { following = store.follow() }
    }

    /// Ends with the caller, whose call owns the stream until then.
    func watchCaller() {
        call.whenCancelled { [self] in
            end()
            call.stream(.end)
        }
    }

    /// Lets go of what it has.
    func end() {
        reader = nil
        following?.cancel()
        following = nil
    }

    // MARK: what is kept

    /// Sends what is kept and wanted, a piece of the file in a turn.
    func sendKept() async {
        do throws(SystemError) {
            if let most = request.lines {
                var last = LastEvents(most)
                try await forEachWanted { last.add($0) }
                for line in last.lines { await send(line) }
            } else {
                while let piece = try reader?.next() {
                    for line in wanted(in: piece) { await send(line) }
                    await pause()
                }
                for line in wanted(in: store.unwritten) { await send(line) }
            }
        } catch {
            end()
            call.fail(APIError.internalFailure("the events cannot be read: \(error)").rpc)
        }
        reader = nil
    }

    private func forEachWanted(_ body: ([UInt8]) -> Void) async throws(SystemError) {
        while let piece = try reader?.next() {
            for line in wanted(in: piece) { body(line) }
            await pause()
        }
        for line in wanted(in: store.unwritten) { body(line) }
    }

    private func wanted(in piece: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        piece.withUnsafeBytes { bytes in
            EventReader.forEachLine(of: bytes) { head, line in
                // What came since is in memory.
                if head.seq <= newest, query.accepts(head) { lines.append(Array(bytes[line])) }
            }
        }
        return lines
    }

    private func send(_ line: [UInt8]) async {
        guard call.isOpen else { return end() }
        // A line of another version is no event for this one.
        guard let event = try? JSONValue(parsing: line) else { return }
        call.stream(.data(event))
        guard call.backlog > Self.backlogLimitBytes else { return }
        await withCheckedContinuation { continuation in call.whenDrained { continuation.resume() } }
    }

    private func pause() async {
        await withCheckedContinuation { continuation in reactor.whenIdle { continuation.resume() } }
    }

    // MARK: what comes

    /// Sends what came meanwhile, and from now on as it comes.
    func follow() {
        guard let following, call.isOpen else {
            end()
            return call.stream(.end)
        }
        following.notify { [weak self] in self?.pump() }
        pump()
    }

    private func pump() {
        guard let following, call.isOpen else { return end() }
        while let frame = following.next() {
            switch frame {
            case .event(let event): if query.accepts(event.line) { call.stream(.data(event.json)) }
            case .missed: call.stream(.data(frame.json))
            }
            if call.backlog > Self.backlogLimitBytes { return waitForCaller() }
        }
    }

    private func waitForCaller() {
        following?.notify(nil)
        call.whenDrained { [weak self] in
            guard let self, following != nil else { return }
            follow()
        }
    }
}

/// The last lines of many.
private struct LastEvents {
    private let most: Int
    private var kept: [[UInt8]] = []
    private var first = 0

    init(_ most: Int) { self.most = most }

    mutating func add(_ line: [UInt8]) {
        guard most > 0 else { return }
        if kept.count < most {
            kept.append(line)
        } else {
            kept[first] = line
            first = (first + 1) % most
        }
    }

    var lines: [[UInt8]] { Array(kept[first...] + kept[..<first]) }
}

extension EventQuery {
    /// What a call wants; `newest` is the number of the newest event.
    init(_ request: ReadEvents, now: WallTime, newest: UInt64) {
        // A number that no event has yet is one of another file.
        let after = request.after.map { $0 > newest ? 0 : $0 } ?? 0
        self.init(
            names: request.escapedNames, kinds: request.kinds.map(\.rawValue), times: request.times(from: now),
            after: after)
    }
}

extension EventRecord {
    /// The first members of its line.
    var line: EventLine {
        EventLine(seq: seq, at: at.iso8601, kind: kind.rawValue, service: service?.escapedForJSON ?? "")
    }
}
