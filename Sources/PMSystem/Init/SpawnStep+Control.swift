import CPMLinux
public import PMModel

extension SpawnStep {
    /// The step of a number of the protocol; `unknown` for one that a newer pm-init sends.
    public init(number: UInt32) {
        self = pm_step(checking: number).map(Self.step) ?? .unknown
    }

    private static func step(_ step: pm_step) -> SpawnStep {
        switch step {
        case .PM_STEP_NONE: .nothing
        case .PM_STEP_REQUEST: .request
        case .PM_STEP_TABLE: .table
        case .PM_STEP_STACK: .stack
        case .PM_STEP_CLONE: .clone
        case .PM_STEP_PIDFD: .pidfd
        case .PM_STEP_CGROUP: .cgroup
        case .PM_STEP_SESSION: .session
        case .PM_STEP_OOM_SCORE: .oomScore
        case .PM_STEP_NICE: .nice
        case .PM_STEP_DESCRIPTORS: .descriptors
        case .PM_STEP_LIMITS: .limits
        case .PM_STEP_GROUPS: .groups
        case .PM_STEP_USER: .user
        case .PM_STEP_DIRECTORY: .directory
        case .PM_STEP_PRIVILEGES: .privileges
        case .PM_STEP_SIGNALS: .signals
        case .PM_STEP_EXEC: .exec
        case .PM_STEP_SIGNAL: .signal
        case .PM_STEP_TRIAL: .trial
        case .PM_STEP_QUIET: .quiet
        case .PM_STEP_IMAGE: .image
        case .PM_STEP_NAMESPACE: .namespace
        case .PM_STEP_MOUNT: .mount
        case .PM_STEP_CAPABILITIES: .capabilities
        case .PM_STEP_FILTER: .filter
        case .PM_STEP_EXECUTOR: .executor
        case .PM_STEP_KEYRING: .keyring
        }
    }

    private static let numbers = Dictionary(pm_step.known.map { (SpawnStep(number: $0), $0) }) { first, _ in first }

    /// True when the same request fails in this way again, even after changes of the machine (pm_step_is_permanent).
    public func comesAgain(_ code: Int32) -> Bool {
        guard let step = Self.numbers[self].flatMap({ pm_step(checking: $0) }) else { return false }
        // A resource that is scarce now may be free the next time.
        return MachineLimit(code) == nil && pm_step_is_permanent(step, code)
    }

    /// The name that the C code has for the step of a number; for tests.
    static func word(ofNumber number: UInt32) -> String? {
        pm_step(checking: number).map { String(cString: pm_step_name($0)) }
    }
}
