/// Reaction of the daemon to a change of its file: `apply` of the mapping `pm`.
public enum ApplyMode: String, Sendable, CaseIterable {
    /// Services run on as they were started until somebody applies the change; their status says so.
    case manual
    /// The daemon applies the change.
    case auto
}
