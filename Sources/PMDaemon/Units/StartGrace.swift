import PMModel
import PMSystem

/// Decides how long a program is watched after its start for an early end.
///
/// The time alone says nothing on a machine that is busy: a program that has not got a processor cannot have failed yet. So a
/// program is watched until it waits for an event, or has worked for as long as a program takes that reads its files.
struct StartGrace {
    /// What was seen of the program at one moment.
    struct Sample {
        /// Time since pm-init has executed the program.
        let age: Duration
        let activity: ProcessActivity
    }

    /// Time between two looks at the program.
    static let interval = Duration.milliseconds(50)
    /// A program may wait for a short time before it fails, for its own threads or for a child.
    private static let shortest = Duration.milliseconds(250)
    /// No caller waits longer than that, whatever the program does.
    private static let longest = Duration.seconds(3)
    /// Node has read and compiled a large program by then.
    private static let work = Duration.milliseconds(500)
    /// Work between two looks that a program does which waits for events.
    private static let littleWork = Duration.milliseconds(10)
    /// One look may fall between two parts of its work.
    private static let quietLooks = 2

    private var quiet = 0
    private var cpu = Duration.zero

    /// Takes a look at the program; true when it need not be watched any longer.
    mutating func isOver(_ sample: Sample) -> Bool {
        let isQuiet = !sample.activity.isBusy && sample.activity.cpu - cpu <= Self.littleWork
        quiet = isQuiet ? quiet + 1 : 0
        cpu = sample.activity.cpu
        guard sample.age >= Self.shortest else { return false }
        return quiet >= Self.quietLooks || cpu >= Self.work || sample.age >= Self.longest
    }
}
