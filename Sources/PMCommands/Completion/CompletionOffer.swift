/// The words and paths that fit at the cursor.
struct CompletionOffer: Equatable {
    /// A word, and its meaning for shells that show one.
    struct Word: Equatable {
        var text: String
        var help = ""
    }

    /// Paths, which the shell knows better than pm.
    enum Paths: String {
        case none
        case files
        case directories
    }

    /// Words, in their order.
    var words: [Word] = []
    /// Paths that fit here too.
    var paths = Paths.none
    /// The part of the current word before the path: `--config=`.
    var prefix = ""

    /// Lines for the scripts: the kind of paths, the prefix and the current word, with tabs between them; then a line for each
    /// word that begins as the current one does, with its meaning behind a tab.
    func lines(current: String) -> [String] {
        let fitting = words.filter { $0.text.hasPrefix(current) }
        return ["\(paths.rawValue)\t\(prefix)\t\(current)"]
            + fitting.map { "\($0.text)\t\(DisplayWidth.printable($0.help))" }
    }
}
