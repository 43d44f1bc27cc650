import JSON
import PMAPI
import PMDiscovery
import PMModel

/// What a plugin may publish: nothing that its package.json does not name.
struct PluginFilter {
    let manifest: PluginManifest

    /// A command of the host itself, which the daemon calls; names of plugins have no `$`.
    static let probe = "$probe"
    /// Nobody reads more.
    private static let mostProblems = 10

    /// The commands that are declared, and a sentence for each other one.
    func admitted(_ metadata: ServiceMetadata) -> (metadata: ServiceMetadata, problems: [String]) {
        var (kept, problems): ([CommandMetadata], [String]) = ([], metadata.problems)
        for command in metadata.commands {
            if command.name.hasPrefix("$") {
                kept.append(command)
            } else if let route = command.route {
                if manifest.routes.contains(route) {
                    kept.append(command)
                } else {
                    problems.append(refusal("the route \(route.text)", "http"))
                }
            } else if may(command.name) {
                kept.append(command)
            } else {
                problems.append(refusal("the command \(command.name)", "commands"))
            }
        }
        var admitted = metadata
        admitted.commands = kept
        let surplus = problems.count - Self.mostProblems
        if surplus > 0 { problems = problems.prefix(Self.mostProblems) + ["and \(surplus) more"] }
        admitted.problems = []
        return (admitted, problems)
    }

    private func may(_ command: String) -> Bool {
        switch manifest.form {
        case .own: manifest.commands.contains(command)
        case .reference: PluginWord.isValid(command)
        }
    }

    private func refusal(_ what: String, _ key: String) -> String {
        switch manifest.form {
        case .own: "\(what) is refused: \"pm.plugin.\(key)\" in \(manifest.file) does not name it"
        case .reference: "\(what) is refused: a plugin without \"pm.plugin\" may only add commands of one word"
        }
    }
}
