import PMModel
import Testing

@testable import PMSupervisor

@Suite struct `A wall clock that was set` {
    @Test(arguments: [
        // started ago, ended ago by the wall clock, ran
        (100, 40, 60),  // nobody set it
        (100, 40 + 365 * 86400, 0),  // forward a year since
        (100, 40 - 365 * 86400, 100),  // back a year since
    ])
    func `makes no run longer than it can have been`(started: Int, ended: Int, ran: Int) {
        #expect(ExitReport.ran(startedAgo: .seconds(started), endedAgo: .seconds(ended)) == .seconds(ran))
    }
}
