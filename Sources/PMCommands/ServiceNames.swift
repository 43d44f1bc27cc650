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
        let known = try client.ask(Status(name: nil)).map(\.name).filter { $0 != "pm" }
        var names: [String] = []
        for word in words {
            let found = known.contains(word) || !Self.isPattern(word) ? [word] : Self.matches(word, known)
            guard !found.isEmpty else {
                throw .notFound("no service matches \(word)", hint: "pm status shows all names")
            }
            names += found
        }
        return Self.unique(names)
    }

    /// The names that a pattern means; `all` means every service, but not the daemon.
    static func matches(_ pattern: String, _ names: [String]) -> [String] {
        pattern == "all" ? names : names.filter { StarPattern.matches(pattern, $0) }
    }

    private static func isPattern(_ word: String) -> Bool { word == "all" || word.utf8.contains(UInt8(ascii: "*")) }

    private static func unique(_ words: [String]) -> [String] {
        var seen: Set<String> = []
        return words.filter { seen.insert($0).inserted }
    }
}
