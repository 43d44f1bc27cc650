import PMSystem
import Testing

@testable import PMDaemon

/// The decision to start nothing, made from the count that earlier daemons left.
@Suite struct StartModeTests {
    /// The modes of daemons that follow each other; each ended this way before its start had succeeded.
    private func modes(_ ends: [PredecessorEnd]) -> [StartMode] {
        var bytes: [UInt8] = []
        return ([.none] + ends).map { end in
            var count = StartCount(bytes)
            defer { bytes = count.bytes }
            return count.recordStart(after: end)
        }
    }

    @Test func `after three deaths at the start the fourth daemon starts safe`() {
        #expect(
            modes([.hung, .signaled(11), .hung, .hung]) == [
                .normal, .normal, .normal, .safe(deaths: 3, lastEnd: .hung), .safe(deaths: 4, lastEnd: .hung),
            ])
    }

    @Test func `two deaths are no reason`() {
        #expect(modes([.hung, .hung]).allSatisfy { $0 == .normal })
    }

    @Test(arguments: [PredecessorEnd.signaled(9), .signaled(15), .exited(65), .exited(0), .upgraded])
    func `who is ended by somebody, or says why it ends, has not died of its start`(end: PredecessorEnd) {
        #expect(modes([end, end, end, end, end]).allSatisfy { $0 == .normal })
        #expect(modes([.hung, .hung, end, .hung]).last == .safe(deaths: 3, lastEnd: .hung))
    }

    @Test func `a start that is through begins a new series`() {
        var count = StartCount([2])
        #expect(count.recordStart(after: .hung) == .normal)
        count.finish()
        #expect(count.bytes == [0])
        var next = StartCount(count.bytes)
        #expect(next.recordStart(after: .hung) == .normal && next.unfinished == 1)
    }

    @Test(arguments: [[], [1, 2], [9, 9, 9]] as [[UInt8]])
    func `bytes of another version count for nothing`(bytes: [UInt8]) {
        #expect(StartCount(bytes) == StartCount())
    }

    @Test func `the count stays within its byte`() {
        var count = StartCount([255])
        #expect(count.recordStart(after: .hung) == .safe(deaths: 255, lastEnd: .hung))
        #expect(count.unfinished == 255)
    }

    @Test func `a safe start says why and how it ends`() throws {
        let problem = try #require(StartMode.safe(deaths: 3, lastEnd: .signaled(11)).problem)
        #expect(problem.contains("the 3 daemons before it") && problem.contains("SIGSEGV"))
        #expect(problem.contains("pm upgrade"))
        #expect(StartMode.normal.problem == nil)
    }
}
