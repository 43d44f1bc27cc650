import PMAPI
import PMModel

/// The exits before the last one, for people.
enum FailureHistory {
    /// `exits before: exit code 1 (12s earlier), SIGKILL (2m 5s earlier)`; nil: there were none.
    static func sentence(of card: FailureCard) -> String? {
        let exits = card.death.earlier.map { exit in
            let words = exit.wasRequested ? "stopped" : exit.reason.phrase
            return "\(words) (\((card.death.at - exit.at).forPeople) earlier)"
        }
        return exits.isEmpty ? nil : DisplayWidth.printable("exits before: \(exits.joined(separator: ", "))")
    }
}
