/// Reason why a service never ran: the step, the object, the cause, and the key of the configuration. It keeps its type
/// up to PMAPI, which makes the sentence and the next step of it.
public struct SpawnFailure: Error, Equatable, Hashable, Sendable {
    /// The failed step of a start.
    public enum Step: Equatable, Hashable, Sendable {
        /// A step of pm-init or of the new process.
        case spawn(SpawnStep)
        /// A check of pmd before that.
        case launch(LaunchCheck)
        /// A check of the account.
        case account(AccountCheck)
        /// A check of the sandbox.
        case sandbox(SandboxCheck)

        /// Name of the step, as in records.
        public var word: String {
            switch self {
            case .spawn(let step): step.rawValue
            case .launch(let check): check.rawValue
            case .account(let check): check.rawValue
            case .sandbox(let check): check.rawValue
            }
        }

        /// The step of a name; nil for one that this version does not know.
        public init?(word: String) {
            if let step = SpawnStep(rawValue: word) {
                self = .spawn(step)
            } else if let check = LaunchCheck(rawValue: word) {
                self = .launch(check)
            } else if let check = AccountCheck(rawValue: word) {
                self = .account(check)
            } else if let check = SandboxCheck(rawValue: word) {
                self = .sandbox(check)
            } else {
                return nil
            }
        }
    }

    /// A key of a mapping.
    public struct Key: Equatable, Hashable, Sendable {
        /// The service of the mapping.
        public var service: String
        /// The key, `limits.nofile` or `listen[0]` for example.
        public var name: String

        /// Makes a key.
        public init(_ service: String, _ name: String) {
            (self.service, self.name) = (service, name)
        }
    }

    /// The failed step of the start.
    public var step: Step
    /// Object of the step: a path, a name, or the value of the key.
    public var object: String
    /// The errno(3) value; 0 when pm itself refuses.
    public var code: Int32
    /// The key of the configuration to correct; nil when there is no single one.
    public var key: Key?
    /// The detail that explains the step beside its object; the step's case describes it.
    public var detail = ""

    /// Makes a failure of a step.
    public init(_ step: Step, _ object: String = "", code: Int32 = 0, detail: String = "") {
        (self.step, self.object, self.code, self.detail) = (step, object, code, detail)
    }

    /// The same failure, about a key of the configuration.
    public func about(_ key: Key?) -> SpawnFailure {
        var failure = self
        failure.key = key
        return failure
    }
}
