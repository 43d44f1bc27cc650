import ArgumentParser

/// Sources of words for places of the command line where no fixed list is known.
enum CompletionSource: String, CaseIterable, Sendable {
    /// The services of the daemon, else those of the file.
    case services
    /// The word `pm`, which means the daemon.
    case daemon
    /// Files and folders.
    case files
    /// The commands of pm.
    case commands
    /// The services that have commands.
    case commandable
    /// The runtimes, those of plugins included.
    case runtimes
    /// The plugins of the configuration.
    case plugins
    /// The packages of the configuration.
    case packages
    /// The keys of a service in the configuration.
    case settings
    /// The profiles of the configuration.
    case profiles

    /// The separator in the note for the parser.
    private static let separator: Character = ","

    /// Reads the note of an argument.
    static func sources(_ note: String) -> [CompletionSource] {
        note.split(separator: separator).compactMap { CompletionSource(rawValue: String($0)) }
    }

    /// The note of an argument about its values. The parser has no place for notes; it keeps a command of a shell, which no
    /// script of pm runs.
    fileprivate static func note(_ sources: [CompletionSource]) -> String {
        sources.map(\.rawValue).joined(separator: String(separator))
    }
}

extension CompletionKind {
    /// Values from one source or several.
    static func from(_ sources: CompletionSource...) -> CompletionKind {
        .shellCommand(CompletionSource.note(sources))
    }
}
