import JSON
import PMAPI
import PMClient
import PMModel

/// The services that the words of a command line mean: names, `all`, and patterns such as `web*`.
struct ServiceNames {
    let client: DaemonClient

    /// The names in their order, each once. Only a pattern, or `all`, costs a question to the daemon.
    ///
    /// - Throws: a 404 for a pattern that no service has, and what the daemon answers.
    func expanded(_ words: [String]) throws(APIError) -> [String] {
        guard words.contains(where: Self.isPattern) else { return Self.unique(words) }
        let rows = try client.ask(Status(name: nil)).map(\.name).filter { $0 != "pm" }
        // What is done to a service is done to all of its instances; `web#*` means instances one by one.
        let services = Self.unique(rows.map(InstanceName.unit(of:)))
        var names: [String] = []
        for word in words {
            let known = word.utf8.contains(UInt8(ascii: "#")) ? rows : services
            let found = known.contains(word) || !Self.isPattern(word) ? [word] : Self.matches(word, known)
            guard !found.isEmpty else {
                throw .notFound("no service matches \(word)", hint: "pm status shows all names")
            }
            names += found
        }
        return Self.unique(names)
    }

    /// The rows of services and of their instances, each once.
    ///
    /// - Throws: a 404 for a name or pattern that no service has.
    func rows(of words: [String]) throws(APIError) -> [UnitStatus] {
        let all = try client.ask(Status(name: nil))
        var rows: [UnitStatus] = []
        for word in words {
            let isPattern = Self.isPattern(word)
            var found = all.filter { row in
                if row.name == word || InstanceName(row.name)?.unit == word { return true }
                return isPattern && row.name != "pm" && !Self.matches(word, [row.name]).isEmpty
            }
            if found.isEmpty, isPattern {
                throw .notFound("no service matches \(word)", hint: "pm status shows all names")
            }
            // The daemon knows names without their scope, and refuses others.
            if found.isEmpty { found = try client.ask(Status(name: word)) }
            rows += found.filter { row in !rows.contains { $0.name == row.name } }
        }
        return rows
    }

    /// Asks for one thing of several services at once, and passes each answer on. Services take as long as they need: as with
    /// one service, no answer has a limit.
    ///
    /// - Returns: the refusals, in the order of the calls.
    /// - Throws: a request that cannot be sent.
    func answers<Call: DaemonCall>(
        to calls: [Call], _ show: (Call, Call.Answer) -> Void
    ) throws(APIError) -> [APIError] {
        var tickets: [(call: Call, ticket: DaemonClient.Ticket)] = []
        for call in calls {
            tickets.append((call, try reporting { () throws(ClientError) in try client.send(call) }))
        }
        var refusals: [APIError] = []
        for (call, ticket) in tickets {
            do throws(ClientError) {
                show(call, try client.answer(to: ticket, of: Call.self, within: nil))
            } catch {
                refusals.append(error.report)
            }
        }
        return refusals
    }

    /// Prints the results of a command for programs: of one that names a single service the result itself, else an array,
    /// also if a pattern matched one service only.
    static func show(_ results: [JSONValue], of words: [String], _ session: CommandContext) {
        guard session.format == .json else { return }
        let isSingle = words.count == 1 && !words.contains(where: isPattern)
        if isSingle, let result = results.first { session.output.line(result.text) }
        if !isSingle { session.output.line(JSONValue.array(results).text) }
    }

    /// Tells that some services were refused: throws the first refusal, after a note for each other one.
    static func report(_ refusals: [APIError], _ session: CommandContext) throws(APIError) {
        for refusal in refusals.dropFirst() { session.note(DisplayWidth.printable(refusal.message)) }
        if let refusal = refusals.first { throw refusal }
    }

    /// The names that a pattern means; `all` means every service, but not the daemon.
    static func matches(_ pattern: String, _ names: [String]) -> [String] {
        pattern == "all" ? names : names.filter { StarPattern.matches(pattern, $0) }
    }

    /// True for `all` and for a word with `*`.
    static func isPattern(_ word: String) -> Bool { word == "all" || word.utf8.contains(UInt8(ascii: "*")) }

    private static func unique(_ words: [String]) -> [String] {
        var seen: Set<String> = []
        return words.filter { seen.insert($0).inserted }
    }
}
