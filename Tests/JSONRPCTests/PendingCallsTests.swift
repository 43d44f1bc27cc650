import JSONRPC
import Testing

@Suite struct PendingCallsTests {
    @Test func `each call gets an id of its own and is found once`() {
        var calls = PendingCalls<String>()
        let ids = ["a", "b", "c"].map { calls.add($0) }
        #expect(ids == [1, 2, 3])
        #expect(calls[2] == "b")
        #expect(calls.remove(2) == "b")
        #expect(calls.remove(2) == nil)
        #expect(calls[2] == nil)
        #expect(calls.add("d") == 4)
        #expect(calls.count == 3)
        #expect(calls.remove(0) == nil)
        #expect(calls.remove(99) == nil)
        #expect(calls.remove(UInt64.max) == nil)
    }

    @Test func `a waiting call can be changed and removed in place`() {
        var calls = PendingCalls<Int>()
        let id = calls.add(1)
        calls[id] = 2
        calls[id + 1] = 3
        #expect(calls[id] == 2)
        #expect(calls.count == 1)
        calls[id] = nil
        #expect(calls.isEmpty)
    }

    @Test func `those of a peer that is gone come out by age`() {
        var calls = PendingCalls<Int>()
        for number in 1...100 { _ = calls.add(number) }
        for id in stride(from: 2, through: 100, by: 2) { _ = calls.remove(UInt64(id)) }
        let left = calls.removeAll()
        #expect(left.map(\.payload) == Array(stride(from: 1, through: 99, by: 2)))
        #expect(left.map { Int($0.id) } == left.map(\.payload))
        #expect(calls.isEmpty)
        #expect(calls.removeAll().isEmpty)
        #expect(calls.add(0) == 101)
    }

    @Test func `no id is given twice while old calls stay`() {
        var calls = PendingCalls<UInt64>()
        let old = (0..<50).map { _ in calls.add(0) }
        var seen = Set(old)
        for _ in 0..<10_000 {
            let id = calls.add(7)
            #expect(seen.insert(id).inserted)
            #expect(calls.remove(id) == 7)
        }
        #expect(old.allSatisfy { calls[$0] == 0 })
        #expect(calls.count == 50)
        // Skipped slots cost no more than a few numbers each round.
        #expect(calls.add(1) < 40_000)
    }

    @Test func `a random history agrees with a dictionary`() {
        var calls = PendingCalls<Int>()
        var model: [UInt64: Int] = [:]
        var state: UInt64 = 1
        for step in 0..<50_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let adds = step % 10_000 < 5_000 ? 7 : 3
            if state >> 33 % 10 < adds || model.isEmpty {
                let id = calls.add(step)
                #expect(model.updateValue(step, forKey: id) == nil)
            } else if let id = model.keys.first {
                #expect(calls.remove(id) == model.removeValue(forKey: id))
            }
            #expect(calls.count == model.count)
        }
        #expect(Dictionary(uniqueKeysWithValues: calls.removeAll().map { ($0.id, $0.payload) }) == model)
    }

    @Test func `taking ends the payload's life`() {
        final class Token {}
        var calls = PendingCalls<Token>()
        weak var seen: Token?
        let id = calls.add(Token())
        seen = calls[id]
        #expect(seen != nil)
        _ = calls.remove(id)
        #expect(seen == nil)
    }

    @Test(
        arguments: [
            ("1", 1), ("42", 42), ("9007199254740993", 9_007_199_254_740_993),
            ("9999999999999999999", 9_999_999_999_999_999_999),
            ("0", nil), ("01", nil), ("-1", nil), ("1.0", nil), ("1e3", nil), ("\"1\"", nil), ("null", nil), ("", nil),
            ("99999999999999999999", nil),
        ] as [(String, UInt64?)]) func `only our own spelling of an id is one of ours`(
            _ raw: String, _ expected: UInt64?
        )
    {
        #expect(Array(raw.utf8).withUnsafeBytes { PendingCallID.parse($0) } == expected)
    }
}
