import PMAPI
import PMClient
import PMConfig
import PMModel

/// The words behind `pm start NAME`: names of further services, or arguments of the first one.
struct StartArguments {
    let command: StartCommand
    let session: CommandContext

    /// The services, when the words are names and patterns of several; nil: the first is a service, the others its arguments.
    ///
    /// - Throws: a 404 for words of which some are names and others are not, and for one that looks like a misspelt name.
    func names(_ client: DaemonClient) throws(APIError) -> [String]? {
        let words = [command.program] + command.args
        if ServiceNames.isPattern(command.program) { return try ServiceNames(client: client).expanded(words) }
        guard command.bareWords > 0 else { return nil }
        let known = try client.ask(Status(name: nil)).map(\.name)
        let others = command.args.prefix(command.bareWords).filter { !known.contains($0) }
        if command.mayBeNames, others.isEmpty, known.contains(command.program) {
            return try ServiceNames(client: client).expanded(words)
        }
        // What else is wrong with the first word, the daemon says.
        guard known.contains(command.program) else { return nil }
        if others.count < command.bareWords { throw mixed(others.first) }
        for word in others { try tellArgument(word, known) }
        return nil
    }

    /// Some words are services, and something else is none.
    private func mixed(_ other: String?) -> APIError {
        let hint = "\(explicit) passes the words to \(DisplayWidth.printable(command.program))"
        if let other { return .notFound("there is no service \(other)", hint: hint) }
        return .badRequest("services that are started together get no arguments", hint: hint)
    }

    /// A name that was meant for a service does not reach another one unseen.
    private func tellArgument(_ word: String, _ known: [String]) throws(APIError) {
        guard Self.mayBeName(word) else { return }
        let near = word.utf8.count < Self.shortestNear ? [] : NearNames.of(word, among: known)
        if let near = near.first {
            throw .notFound(
                "there is no service \(word); the nearest name is \(near)",
                hint: "\(explicit) passes \(word) to \(command.program) as an argument")
        }
        session.note(
            DisplayWidth.printable(
                "\(word) goes to \(command.program) as an argument, there is no service of that name; \(explicit) says so"
            ))
    }

    /// The command line that says which words are arguments.
    private var explicit: String {
        "pm start \(command.program.shellWord) -- \(command.args.map(\.shellWord).joined(separator: " "))"
    }

    /// A name of fewer letters is near to too many others.
    private static let shortestNear = 3

    /// False for numbers, paths and assignments: nobody takes them for the name of a service.
    private static func mayBeName(_ word: String) -> Bool {
        guard Double(word) == nil, !word.contains(where: { "/=:,".contains($0) }) else { return false }
        do throws(UnitName.Problem) {
            _ = try UnitName(word)
            return true
        } catch {
            return false  // a word that no service can have as its name
        }
    }
}
