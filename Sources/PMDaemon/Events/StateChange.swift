import JSON
import PMAPI
import PMModel
import PMSupervisor
import PMSystem

/// A change of a unit's state that has an event of its own: starts and exits have theirs.
struct StateChange {
    private let unit: String
    private let state: UnitPhase
    private let message: String
    private var details: [(String, JSONValue)] = []

    /// Describes a state; nil for states that other events report.
    init?(of unit: String, _ new: UnitState, at now: MonotonicTime) {
        self.unit = unit
        switch new {
        case .starting, .up: return nil
        case .down(let reason):
            guard let why = reason.event else { return nil }
            (state, message) = (.down, "\(unit) is down: \(why.phrase)")
            details = [("reason", .string(why.word))]
        case .backingOff(let time):
            let pause = max(.zero, time - now)
            (state, message) = (.backingOff, "\(unit) is started again in \(pause.shortForm)")
            details = [("pauseMs", .number(JSONNumber(Int(pause.milliseconds))))]
        case .cooling(let time):
            let pause = max(.zero, time - now)
            (state, message) = (.cooling, "\(unit) died too often, and is tried again in \(pause.shortForm)")
            details = [("pauseMs", .number(JSONNumber(Int(pause.milliseconds))))]
        case .stopping(let stopping):
            let phase: UnitPhase = stopping.step == .stuck ? .stuck : stopping.cause == .died ? .sweeping : .stopping
            (state, message) = (phase, Self.sentence(of: unit, phase, stopping))
            details = [("reason", .string(stopping.cause.word))]
            if phase == .stuck { details.append(("processes", .number(JSONNumber(Int(stopping.survivors))))) }
        }
    }

    private static func sentence(of unit: String, _ phase: UnitPhase, _ stopping: Stopping) -> String {
        switch phase {
        case .stuck: "\(stopping.survivors) processes of \(unit) outlive SIGKILL"
        case .sweeping: "processes that \(unit) left behind are ended"
        case .stopping, .down, .starting, .up, .backingOff, .cooling:
            "\(unit) is being stopped\(stopping.cause.phrase)"
        }
    }

    /// The event.
    func event(from phase: UnitPhase) -> EventRecord {
        EventRecord(
            .state, of: unit, message,
            [("state", .string(state.rawValue)), ("from", .string(phase.rawValue))] + details
        )
    }
}

extension DownReason {
    /// The reason as a word and in a sentence; nil for a unit that was never started.
    fileprivate var event: (word: String, phrase: String)? {
        switch self {
        case .neverStarted: nil
        case .stopped: ("stopped", "it was stopped by a request")
        case .finished: ("finished", "it ended, and is not started again")
        }
    }
}

extension Stopping.Cause {
    fileprivate var word: String {
        switch self {
        case .requested: "requested"
        case .notReady: "notReady"
        case .died: "died"
        case .unresponsive: "unresponsive"
        }
    }

    fileprivate var phrase: String {
        switch self {
        case .requested: " by a request"
        case .notReady: ", because it was not ready in time"
        case .died: ", because it died"
        case .unresponsive: ", because it does not respond"
        }
    }
}

extension RestartDecision {
    /// The details of the event of a unit that is not started again at once.
    func details(after reason: ExitReason) -> [(String, JSONValue)] {
        let (word, pause): (String, Duration?) =
            switch self {
            case .restart(let pause): ("restart", pause)
            case .cool(let pause): ("cool", pause)
            case .stayDown: ("stayDown", nil)
            case .giveUp: ("giveUp", nil)
            }
        return [("decision", .string(word)), ("reason", .string(reason.word)), ("phrase", .string(reason.phrase))]
            + (pause.map { [("pauseMs", .number(JSONNumber(Int($0.milliseconds))))] } ?? [])
    }
}

extension EventRecord {
    /// The exit of a process, with its record.
    init(_ record: DeathRecord, of unit: String, _ message: String) {
        self.init(.exit, of: unit, message)
        details = record.json.object ?? JSONObject()
    }

    /// A service that does not respond, or responds again.
    init(_ responsiveness: Responsiveness, of unit: String, _ message: String) {
        switch responsiveness {
        case .unresponsive(let time, let seen):
            self.init(
                .unhealthy, of: unit, message,
                [("forMs", .number(JSONNumber(Int(time.milliseconds)))), ("seen", .string(seen))])
        case .responsive(let time):
            self.init(.recovered, of: unit, message, [("afterMs", .number(JSONNumber(Int(time.milliseconds))))])
        }
    }
}
