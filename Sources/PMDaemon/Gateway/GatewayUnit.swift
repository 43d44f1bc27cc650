import Glibc
import JSON
import PMAPI
import PMModel
import PMSupervisor
import PMSystem

/// The gateway as a unit of the service manager, which shuts it in as we could not: it reads what to serve from one file, the
/// plan, and tells how it goes in another, the state. The manager starts it when the plan is there.
@PMActor
final class GatewayUnit: GatewayRunner {
    /// Paths of the two files.
    struct Location: Equatable {
        /// Path of the points to serve: a list of arguments.
        let plan: String
        /// `{"plan": […], "problems": […]}`, there as long as the gateway runs.
        let state: String

        /// Reads `PLAN:STATE`, two absolute paths; nil when it is something else.
        init?(_ text: String) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, parts.allSatisfy({ $0.hasPrefix("/") && !$0.hasSuffix("/") }) else { return nil }
            (plan, state) = (parts[0], parts[1])
        }
    }

    /// The gateway's report.
    private struct State: Equatable {
        let words: [String]
        let problems: [String]
    }

    private struct Waiting {
        let order: GatewayOrder?
        let done: Completion
        let timer: TimerID
    }

    private let place: Location
    private let reactor: Reactor
    private var waiting: Waiting?
    private var watch: DirectoryWatch?
    /// Time for the service manager to start it.
    private static let startTimeout = Duration.seconds(15)
    private static let hint = "systemctl status pm-gateway.service pm-gateway.path"

    init(_ place: Location, _ reactor: Reactor) {
        self.place = place
        self.reactor = reactor
    }

    /// The unit's file has the user, and this is the same one: the gate must be that user's.
    func identity() throws(APIError) -> UserIdentity? {
        try GatewayUser.named()
    }

    func unit(_ order: GatewayOrder) -> Unit? { nil }

    var elsewhere: APIError? {
        .notFound(
            "\(GatewayController.unit) is a service of systemd, \(GatewayController.unit).service, and not one of pm",
            hint:
                "journalctl -u \(GatewayController.unit) shows its log, and systemctl status \(GatewayController.unit) how it is"
        )
    }

    func start(_ order: GatewayOrder?, _ done: @escaping Completion) {
        follow(order, done)
    }

    func follow(_ order: GatewayOrder?, _ done: @escaping Completion) {
        supersede()
        do throws(SystemError) {
            try startWatching()
            if let order { try write(order) } else { try Files.remove(place.plan) }
        } catch {
            return done(APIError(500, "cannot pass the connection points to the gateway: \(error)"))
        }
        let timer = reactor.after(Self.startTimeout) { [weak self] in self?.giveUp() }
        waiting = Waiting(order: order, done: done, timer: timer)
        look()
    }

    func end() {
        supersede()
        // What cannot be removed was told of when it could not be written.
        try? Files.remove(place.plan)
    }

    func problems(of order: GatewayOrder) -> [String] {
        guard waiting == nil else { return [] }
        guard let state = state() else {
            return ["\(GatewayController.unit) does not run (\(Self.hint))"]
        }
        guard state.words == order.words else {
            return ["\(GatewayController.unit) does not take up what it is to serve (\(Self.hint))"]
        }
        return state.problems
    }

    // MARK: the two files

    private func write(_ order: GatewayOrder) throws(SystemError) {
        let bytes = JSONValue.array(order.words.map { .string($0) }).serialized()
        // The same again must not be taken for a change. One that cannot be read is written again.
        if let present = try? Files.read(place.plan), present == bytes { return }
        try Files.replace(place.plan, with: bytes, group: order.identity?.group)
    }

    private func state() -> State? {
        // Not there: it does not run. It is replaced as a whole, so it is never half a state.
        guard let bytes = try? Files.read(place.state, limit: 1 << 20), let json = try? JSONValue(parsing: bytes) else {
            return nil
        }
        let texts: (String) -> [String] = { json[$0]?.array?.compactMap(\.string) ?? [] }
        return State(words: texts("plan"), problems: texts("problems"))
    }

    // MARK: waiting

    private func startWatching() throws(SystemError) {
        guard watch == nil else { return }
        let watch = try DirectoryWatch()
        try reactor.watch(watch.raw, .readable) { [weak self] _ in
            self?.watch?.drain()
            self?.look()
        }
        self.watch = consume watch
    }

    /// Checks whether the awaited report has come.
    private func look() {
        watchState()
        guard let waiting else { return }
        let state = state()
        guard waiting.order.map({ state?.words == $0.words }) ?? (state == nil) else { return }
        finish(nil)
    }

    /// The directory of the state comes and goes with the gateway, so the one above it is watched too.
    private func watchState() {
        let directory = Self.parent(place.state)
        for path in [Self.parent(directory), directory] {
            // It is not there yet, and will be seen to come. Without any watch the wait ends by its timer.
            try? watch?.add(path)
        }
    }

    private static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    private func giveUp() {
        guard let waiting else { return }
        let what = waiting.order == nil ? "does not stop" : "does not take up what it is to serve"
        finish(.serviceFailed("\(GatewayController.unit) \(what)", hint: Self.hint))
    }

    /// The controller answers callers that wait when the later order is done.
    private func supersede() {
        guard waiting != nil else { return }
        finish(nil)
    }

    private func finish(_ error: APIError?) {
        guard let waiting else { return }
        reactor.cancel(waiting.timer)
        self.waiting = nil
        waiting.done(error)
    }
}
