import PMAPI
import PMSupervisor
import PMSystem

/// Restarts the instances of a service one after another, each when the one before is ready: the others serve meanwhile.
///
/// If one fails, those that have not been reached run on as before.
@PMActor
final class RollingRestart {
    private let names: [String]
    private let start: @PMActor (String, @escaping Answering<Start.Answer>) -> Void
    private let answer: Answering<Start.Answer>
    private var place = 0
    private var first: Start.Answer?

    /// A restart of these instances; `start` restarts one of them.
    init(
        _ names: [String], _ answer: @escaping Answering<Start.Answer>,
        _ start: @escaping @PMActor (String, @escaping Answering<Start.Answer>) -> Void
    ) {
        (self.names, self.answer, self.start) = (names, answer, start)
    }

    /// Restarts the next instance; the answer is that of the first one.
    func next() {
        start(names[place]) { [self] in ended($0) }
    }

    private func ended(_ result: Result<Start.Answer, APIError>) {
        switch result {
        case .failure(var error):
            let rest = names[(place + 1)...]
            if !rest.isEmpty { error.message += "; \(Self.listed(rest)) not restarted" }
            answer(.failure(error))
        case .success(let started):
            first = first ?? started
            place += 1
            guard place == names.count else { return next() }
            answer(.success(first ?? started))
        }
    }

    private static func listed(_ names: ArraySlice<String>) -> String {
        let shown = names.prefix(3).joined(separator: ", ")
        let more = names.count - 3
        return shown + (more > 0 ? " and \(more) more are" : names.count == 1 ? " is" : " are")
    }
}
