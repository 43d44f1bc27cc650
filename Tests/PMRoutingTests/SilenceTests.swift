import JSON
import PMModel
import PMRoutingSupport
import PMSystem
import PMTestSupport
import Testing

@testable import PMRouting

/// Services that say nothing while calls wait for them.
@Suite(.loop) struct `The silence of a service` {
    @PMActor private func call(_ link: MemoryLink, _ id: Int) {
        link.write(#"{"jsonrpc":"2.0","id":\#(id),"method":"svc.slow","params":[]}"#)
    }

    @Test @PMActor func `is told while a call waits, again and again, and not after the answer`() async throws {
        let rig = RouterRig(TestLoop.reactor)
        let client = try rig.client().link
        let (link, session) = try rig.service("svc")
        let begun = TestLoop.reactor.clock.monotonic()
        var told: [MonotonicTime] = []
        await withCheckedContinuation { done in
            session.silenceWatch = SilenceWatch(
                onSilence: { since in
                    told.append(since)
                    if told.count == 3 { done.resume() }
                }, shortest: .milliseconds(5))
            call(client, 1)
        }
        #expect(told == told.sorted() && told.allSatisfy { $0 >= begun })
        let sent = try #require(link.next())
        let number = try #require(try JSONValue(parsing: sent)["id"])
        link.write(#"{"jsonrpc":"2.0","id":\#(number.text),"result":1}"#)
        // A busy machine may have looked more often by now. The timer that is armed looks once more, and finds nothing to
        // wait for.
        let before = told.count
        for _ in 0..<1000 where session.silenceWatch?.timer != nil {
            await withCheckedContinuation { done in TestLoop.reactor.after(.milliseconds(20)) { done.resume() } }
        }
        #expect(told.count == before && session.silenceWatch?.timer == nil)
    }

    @Test @PMActor func `ends with anything that the service says`() throws {
        let rig = RouterRig(TestLoop.reactor)
        let (link, session) = try rig.service("svc")
        rig.router.watchSilence(of: session) { _ in }
        #expect(session.silenceWatch?.heard == 0 && session.silenceWatch?.timer == nil)
        link.write(#"{"jsonrpc":"2.0","method":"other.note","params":[]}"#)
        link.write(#"{"jsonrpc":"2.0","id":99,"result":1}"#)
        #expect(session.silenceWatch?.heard == 2)
    }

    @Test @PMActor func `is not waited for at a service that nobody watches, or that has ended`() throws {
        let rig = RouterRig(TestLoop.reactor)
        let client = try rig.client().link
        let (_, session) = try rig.service("svc")
        call(client, 1)
        #expect(session.silenceWatch == nil)
        // Calls that wait already count.
        rig.router.watchSilence(of: session) { _ in }
        #expect(session.silenceWatch?.timer != nil)
        rig.end(session)
        #expect(session.silenceWatch == nil)
    }
}
