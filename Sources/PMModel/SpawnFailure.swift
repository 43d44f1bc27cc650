/// Why a service never ran: the step, the object, the cause, and the key of the configuration that it is about.
///
/// It keeps its type up to PMAPI, which makes the sentence and the next step of it.
public struct SpawnFailure: Error, Equatable, Hashable, Sendable {
    /// Where the start came to its end.
    public enum Step: Equatable, Hashable, Sendable {
        /// A step of pm-init or of the process to be.
        case spawn(SpawnStep)
        /// A check of pmd before that.
        case launch(LaunchCheck)
        /// A check of the account.
        case account(AccountCheck)
        /// A check of the sandbox.
        case sandbox(SandboxCheck)

        /// The word of the step, as it is written into records.
        public var word: String {
            switch self {
            case .spawn(let step): step.rawValue
            case .launch(let check): check.rawValue
            case .account(let check): check.rawValue
            case .sandbox(let check): check.rawValue
            }
        }

        /// The step of a word; nil for one that this version does not know.
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
        /// The service whose mapping it is in.
        public var service: String
        /// The key, `limits.nofile` or `listen[0]` for example.
        public var name: String

        /// Names a key.
        public init(_ service: String, _ name: String) {
            (self.service, self.name) = (service, name)
        }
    }

    /// Where the start came to its end.
    public var step: Step
    /// What it was tried on: a path, a name, or the value of the key.
    public var object: String
    /// The errno(3) value; 0 where pm itself refuses.
    public var code: Int32
    /// The key of the configuration that it is about; nil: none alone.
    public var key: Key?
    /// What the step needs to be understood beside its object: its case says what.
    public var detail = ""

    /// A failure at a step.
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
