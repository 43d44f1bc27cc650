import PMTestSupport
import JSONRPC
import Testing

@testable import PMRouting

/// A table and its model, driven at random from one seed.
struct CallSimulation {
    private var table = CallTable(generation: 3)
    private var model = CallModel()
    private var random: SplitMix
    private var names = SessionMap<Int>()
    private var sessions: [SessionID] = []
    private var nextID = 0
    /// Numbers that were given, the newest last; some are answered.
    private var numbers: [UInt64] = []

    init(seed: UInt64) { random = SplitMix(state: seed) }

    mutating func run(steps: Int) throws {
        for _ in 0..<3 { open() }
        for _ in 0..<steps {
            try step()
            try check()
        }
        while let session = sessions.last { try close(session) }
        try check()
        #expect(table.calls.count == 0 && table.keptBytes == 0)
    }

    private mutating func step() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<4: if sessions.count < 8 { open() }
        case 4..<7: if sessions.count > 2 { try close(anySession) }
        case 7..<9: try upgrade()
        case 9..<45: try add()
        case 45..<70: try reply()
        case 70..<76: try cancel()
        case 76..<79: try spoil()
        case 79..<86: try pause()
        default: try upload()
        }
    }

    // MARK: choosing

    private var anySession: SessionID { mutating get { sessions.randomElement(using: &random) ?? .daemon } }
    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    /// A call that is under way, or at times any number.
    private mutating func anyNumber() -> UInt64 {
        if chance(80), let call = model.calls.randomElement(using: &random) { return call.number }
        if chance(50), let call = model.left.randomElement(using: &random) { return call.number }
        return numbers.randomElement(using: &random) ?? 1
    }

    private mutating func callee(of number: UInt64) -> SessionID {
        if chance(5) { return anySession }
        return model.place(number).map { model.calls[$0].state.callee }
            ?? model.left.first { $0.number == number }?.callee ?? anySession
    }

    // MARK: events

    private mutating func open() {
        let id = names.add { _ in 0 }
        sessions.append(id)
        table.opened(id)
    }

    private mutating func close(_ session: SessionID) throws {
        try #require(table.closed(session) == model.closed(session))
        names.remove(session)
        sessions.removeAll { $0 == session }
    }

    private mutating func add() throws {
        let callee = anySession
        let isOwn = chance(8)
        nextID += 1
        let state = CallTable.State(
            caller: isOwn ? .daemon : anySession, callerID: isOwn ? .unreadable : RPCID(nextID), callee: callee,
            sendsStream: !isOwn && chance(20), isStreaming: false, isPaused: false)
        var call = CallModel.Call(number: 0, state: state)
        if isOwn {
            call.number = table.addOwn(to: callee)
        } else {
            var new = CallTable.NewCall(caller: state.caller, callerID: state.callerID, callee: callee)
            new.sendsStream = state.sendsStream
            let message = !state.sendsStream && chance(25) ? [UInt8](repeating: 7, count: nextID % 50) : nil
            new.keeps = message?.count
            call.number = try table.add(new)
            call.message = message
            if let message { table.keep(message, of: call.number) }
        }
        try #require(call.number > numbers.last ?? 0)
        numbers.append(call.number)
        model.calls.append(call)
        if state.sendsStream {
            model.uploads.append(.init(caller: state.caller, id: state.callerID, number: call.number))
        }
    }

    private mutating func reply() throws {
        let number = anyNumber()
        let (callee, isFlagged, isError) = (callee(of: number), chance(40), chance(15))
        let expected = model.reply(number, from: callee, isFlagged: isFlagged, isError: isError)
        try #require(table.reply(to: number, from: callee, isFlagged: isFlagged, isError: isError) == expected)
    }

    private mutating func spoil() throws {
        let number = anyNumber()
        let callee = callee(of: number)
        try #require(table.spoiled(number, from: callee) == model.spoiled(number, from: callee))
    }

    private mutating func cancel() throws {
        let made = model.calls.filter { $0.state.caller != .daemon }
        guard chance(90), let call = made.randomElement(using: &random) else {
            try #require(table.cancel(RPCID(nextID + 1), of: anySession) == nil)
            return
        }
        let (id, caller) = (call.state.callerID, call.state.caller)
        try #require(table.cancel(id, of: caller) == model.cancel(id, of: caller))
        try #require(table.cancel(id, of: caller) == nil)
    }

    private mutating func pause() throws {
        let number = anyNumber()
        let place = model.place(number)
        if chance(60) {
            let expected = place.map { !model.calls[$0].state.isPaused } ?? false
            try #require(table.pause(number) == expected)
            if let place { model.calls[place].state.isPaused = true }
        } else {
            let call = place.map { model.calls[$0].state }
            try #require(table.resume(number) == (call?.isPaused == true ? call?.callee : nil))
            if let place { model.calls[place].state.isPaused = false }
        }
    }

    private mutating func upload() throws {
        let upload = model.uploads.randomElement(using: &random)
        let (id, caller) = (upload?.id ?? RPCID(nextID), upload?.caller ?? anySession)
        if let upload, let place = model.place(upload.number) {
            let callee = model.calls[place].state.callee
            try #require(table.uploadSource(of: upload.number, to: callee) == .caller(caller, id))
        }
        let isLast = chance(30)
        try #require(
            table.uploaded(id, by: caller, isLast: isLast) == model.uploaded(id, by: caller, isLast: isLast))
    }

    /// Another daemon goes on, which gives all sessions other names; some of them are gone.
    private mutating func upgrade() throws {
        let image = HandoverImage(
            newestCall: table.newest,
            sessions: sessions.map {
                SessionRecord(id: $0, state: .client, calls: table.state(of: $0), connection: .new)
            }, calls: table.records, relayEnds: [])
        let read = try #require(HandoverImage(decoding: image.encoded))
        try #require(read == image)
        // The successor repeats the daemon's own calls.
        model.calls.removeAll { $0.state.caller == .daemon }
        for session in sessions where sessions.count > 2 && chance(5) {
            sessions.removeAll { $0 == session }
        }
        try takeOver(read)
    }

    private mutating func takeOver(_ image: HandoverImage) throws {
        table = CallTable(generation: 4)
        names = SessionMap<Int>()
        for _ in 0..<Int.random(in: 0..<3, using: &random) { names.remove(names.add { _ in 0 }) }
        var new: [SessionID: SessionID] = [:]
        for session in sessions.shuffled(using: &random) {
            let name = names.add { _ in 0 }
            new[session] = name
            table.opened(name)
            guard let record = image.sessions.first(where: { $0.id == session }) else { continue }
            table.restore(record.calls, of: name)
        }
        let endings = table.restore(image.calls, newest: image.newestCall) { new[$0] }
        try #require(endings == model.renamed(new))
        sessions = sessions.compactMap { new[$0] }
    }

    // MARK: what is always so

    private func check() throws {
        for session in sessions {
            try #require(table.owed(by: session) == model.owed(by: session))
            try #require(table.made(by: session) == model.made(by: session))
            try #require(table.left(at: session) == model.left(at: session))
            try #require(table.uploads(of: session) == model.uploads(of: session))
        }
        try #require(table.calls.count == model.calls.count && table.keptBytes == model.keptBytes)
        let records = model.calls.filter { $0.state.caller != .daemon }
            .map { CallRecord(number: $0.number, state: $0.state, message: $0.message.map { RecordBytes($0) }) }
        try #require(table.records == records)
    }
}

extension CallModel {
    /// Gives sessions their new names; the result is the consequences for calls whose other end has none.
    fileprivate mutating func renamed(_ new: [SessionID: SessionID]) -> [CallTable.Ending] {
        var (endings, orphans): ([CallTable.Ending], [CallTable.Ending]) = ([], [])
        let old = calls
        calls = []
        left = left.compactMap { left in
            new[left.callee].map { Left(callee: $0, number: left.number, isStreaming: left.isStreaming) }
        }
        for var call in old {
            let (caller, callee) = (new[call.state.caller], new[call.state.callee])
            if let caller, let callee {
                (call.state.caller, call.state.callee) = (caller, callee)
                calls.append(call)
            } else if let caller {
                endings.append(
                    call.message.map { .move(caller, call.state.callerID, message: $0) }
                        ?? .fail(caller, call.state.callerID))
            } else if let callee {
                left.append(Left(callee: callee, number: call.number, isStreaming: call.state.isStreaming))
                orphans.append(
                    .abandon(.init(callee: callee, number: call.number, endsUpload: call.state.sendsStream)))
            }
        }
        uploads = uploads.compactMap { upload in
            new[upload.caller].map { Upload(caller: $0, id: upload.id, number: upload.number) }
        }
        return endings + orphans
    }
}

extension SessionState {
    /// A client's, of which nothing is known yet.
    static var client: SessionState {
        SessionState(
            service: nil, form: .lines, reach: .everything, isOfNetwork: false, watchesMetadata: false,
            takesSignals: false, hasFinished: false, target: nil, published: nil)
    }
}
