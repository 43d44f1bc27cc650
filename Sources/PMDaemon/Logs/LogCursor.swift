import PMLogs

/// Up to where a caller has the log of a service: in the files, in the journal, or in both.
///
/// The journal's part is one for all services of a call, because they are read from there in one order. `number` counts what
/// a caller was sent from the journal, so that of several cursors the latest is known: a cursor itself cannot be compared.
struct LogCursor: Equatable {
    /// A place in the journal.
    struct Mark: Equatable {
        var number: UInt64
        var cursor: String
    }

    var file: LogPosition?
    var mark: Mark?

    /// `3:1024`, `3:1024|7:s=…`, or `-|7:s=…`.
    var text: String {
        let place = file?.text ?? "-"
        return mark.map { "\(place)|\($0.number):\($0.cursor)" } ?? place
    }

    init(file: LogPosition? = nil, mark: Mark? = nil) {
        self.file = file
        self.mark = mark
    }

    /// Reads what `text` gives; nil for anything else.
    init?(text: String) {
        let parts = text.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        file = LogPosition(text: parts[0])
        guard file != nil || (parts[0] == "-" && parts.count == 2) else { return nil }
        guard parts.count == 2 else { return }
        let words = parts[1].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard words.count == 2, let number = UInt64(words[0]), !words[1].isEmpty else { return nil }
        mark = Mark(number: number, cursor: words[1])
    }
}
