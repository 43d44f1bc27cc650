import Glibc
import JSON
import JSONRPC
import PMModel
import PMSystem
import PMTestSupport
import Testing

@testable import PMRouting

/// A router that answers nothing, and notes its requests.
@PMActor
private final class Notes: RequestHandler {
    let router: ServiceRouter
    var reasons: [String] = []
    private var opened = 0
    var closed: Int { opened - router.counts.sessions }

    init(_ reactor: Reactor) {
        router = ServiceRouter(CommandRegistry(), reactor: reactor)
        router.handler = self
    }

    /// A session at one end of a socket pair, and the other end.
    func pair(_ origin: SessionOrigin, _ form: MessageForm = .lines) throws -> (session: Session, other: SharedFD) {
        let (ours, theirs) = try UnixSocket.pair()
        let session = try router.open(ours, origin, form: form)
        opened += 1
        return (session, theirs)
    }

    /// How long it takes to handle a request.
    var effort = Duration.zero
    /// Called with the parameters of each request.
    var onRequest: @PMActor (String) -> Void = { _ in }

    func handle(_ request: RPCRequest, from session: Session) {
        let begun = ContinuousClock.now
        while ContinuousClock.now - begun < effort {}
        onRequest(request.params.map { String(decoding: $0, as: UTF8.self) } ?? "")
    }

    func givenUp(_ service: IncarnationID, _ reason: String) { reasons.append(reason) }
    func refused(_ method: String, from session: Session) { reasons.append("refused \(method)") }
}

private let stranger = SessionOrigin.client(.init(pid: 1, user: 1, group: 1))
private let service = SessionOrigin.service(.init(unit: "svc", number: 1))

@Suite struct `A session` {
    let reactor = TestLoop.reactor

    @Test @PMActor func `that lets 128 MB wait is given up, and what waited for it fails`() throws {
        let notes = Notes(reactor)
        let (peer, theirs) = try notes.pair(service)
        var failure: RPCError?
        peer.call("any", nil) { result in
            if case .failure(let error) = result { failure = error }
        }
        let megabyte = [UInt8](repeating: 97, count: 1 << 20)
        for _ in 0..<127 { peer.connection.send { $0 += megabyte } }
        #expect(!peer.connection.isClosed && notes.reasons.isEmpty)
        for _ in 0..<2 { peer.connection.send { $0 += megabyte } }
        #expect(peer.connection.isClosed && notes.closed == 1)
        #expect(notes.reasons == ["it does not read what it is sent"])
        #expect(failure?.statusCode == 503)
        #expect(fcntl(theirs.raw, F_GETFD) >= 0)
    }

    /// What a peer of a form gets for bytes, and the parameters of the requests that were handled.
    @PMActor private func exchange(
        _ text: String, _ form: MessageForm
    ) async throws -> (answer: String, handled: [String]) {
        let notes = Notes(reactor)
        var handled: [String] = []
        notes.onRequest = { handled.append($0) }
        let (peer, theirs) = try notes.pair(stranger, form)
        _ = Descriptors.write(Array(text.utf8), to: theirs.raw)
        shutdown(theirs.raw, Int32(SHUT_WR))
        var answer: [UInt8] = []
        while true {
            _ = try await reactor.next(.readable, of: theirs.raw)
            guard case .bytes(let more) = Descriptors.read(theirs.raw, limit: 1 << 16) else { break }
            answer += more
        }
        #expect(peer.connection.isClosed)
        return (String(decoding: answer, as: UTF8.self), handled)
    }

    private static let call = #"{"jsonrpc":"2.0","method":"a","params":[1]}"# + "\n"

    @Test @PMActor func `that is strict ends at the first line that is no message, a later one too`() async throws {
        for line in ["hello", "", "{", "{}", #"{"jsonrpc":"1.0","id":1,"method":"a"}"#, "[]", "7"] {
            let (answer, handled) = try await exchange(Self.call + line + "\n" + Self.call, .strictLines)
            #expect(handled == ["[1]"] && answer.contains("\"error\""), "\(line): \(answer)")
            let lenient = try await exchange(Self.call + line + "\n" + Self.call, .lines)
            #expect(lenient.handled == ["[1]", "[1]"], "\(line)")
        }
    }

    @Test @PMActor func `whose first line is HTTP is told so, and nothing of its body is handled`() async throws {
        let request = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 44\r\n\r\n" + Self.call
        for form in [MessageForm.lines, .strictLines] {
            let (answer, handled) = try await exchange(request, form)
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && handled == [], "\(answer)")
        }
    }

    @Test @PMActor func `that is one of several with 256 MB together is given up`() throws {
        let notes = Notes(reactor)
        let pairs = try (1...4).map { _ in try notes.pair(stranger) }
        let peers = pairs.map(\.session)
        let block = [UInt8](repeating: 97, count: 100 << 20)
        peers[0].connection.send { $0 += block }
        peers[1].connection.send { $0 += block }
        #expect(notes.closed == 0)
        peers[2].connection.send { $0 += block }
        #expect(peers.map(\.connection.isClosed) == [false, false, true, false])
        // Little is always let through.
        peers[3].connection.send { $0 += [UInt8](repeating: 97, count: 1000) }
        #expect(!peers[3].connection.isClosed)
        for peer in peers { peer.connection.close() }
        #expect(notes.closed == 4)
    }

    @Test @PMActor func `that goes while it is not read from is closed when it is written to, and not before`()
        async throws
    {
        let notes = Notes(reactor)
        let (peer, theirs) = try notes.pair(stranger)
        peer.silence()
        shutdown(theirs.raw, Int32(SHUT_RDWR))
        // Two turns in which its end is reported.
        for _ in 1...2 { await reactor.sleep(for: .milliseconds(1)) }
        #expect(notes.closed == 0)
        peer.notify("any")
        await reactor.sleep(for: .milliseconds(1))
        #expect(notes.closed == 1)
    }

    @Test @PMActor func `gives its socket back when it closes, whoever still refers to it`() throws {
        let notes = Notes(reactor)
        let (peer, theirs) = try notes.pair(stranger)
        let before = openDescriptors()
        peer.connection.close()
        #expect(openDescriptors() == before - 1 && peer.connection.isClosed)
        var byte: UInt8 = 0
        #expect(read(theirs.raw, &byte, 1) == 0)
    }

    private func openDescriptors() -> Int {
        (0..<Int32(1024)).count { fcntl($0, F_GETFD) >= 0 }
    }

    // MARK: what takes long

    private func write(_ text: String, to socket: SharedFD) {
        let count = Array(text.utf8).withUnsafeBytes { send(socket.raw, $0.baseAddress, $0.count, 0) }
        #expect(count == text.utf8.count)
    }

    private static func request(_ parameter: Int) -> String {
        #"{"jsonrpc":"2.0","id":1,"method":"any","params":[\#(parameter)]}"#
    }

    @Test @PMActor func `with a long batch lets others pass, and loses none of it`() async throws {
        let notes = Notes(reactor)
        notes.effort = .microseconds(150)
        let (slow, quick) = (try notes.pair(stranger), try notes.pair(stranger))
        var order: [String] = []
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            notes.onRequest = { parameters in
                order.append(parameters)
                if order.count == 1 { write(Self.request(0) + "\n", to: quick.other) }
                if order.count == 22 { done.resume() }
            }
            let batch = (1...20).map(Self.request).joined(separator: ", ")
            write("[\(batch)]\n\(Self.request(21))\n", to: slow.other)
        }
        let place = try #require(order.firstIndex(of: "[0]"))
        #expect(place < 8, "\(order)")
        order.remove(at: place)
        #expect(order == (1...21).map { "[\($0)]" })
        for peer in [slow.session, quick.session] { peer.connection.close() }
    }

    @Test @PMActor func `that sends a hundred kilobytes without success is not read from for twenty milliseconds`()
        async throws
    {
        let notes = Notes(reactor)
        let (peer, other) = try notes.pair(stranger)
        // A socket takes so much at once from anyone.
        let rubbish = String(repeating: "x", count: 100 << 10)
        let begun = ContinuousClock.now
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            notes.onRequest = { _ in done.resume() }
            write(rubbish + "\n" + Self.request(1) + "\n", to: other)
        }
        #expect(ContinuousClock.now - begun >= .milliseconds(19))
        peer.connection.close()
    }
}
