import Glibc

/// How large tests are: reduced in `make test`, full in `make soak`.
public enum TestSize {
    /// Whether they have their full size (`PM_TEST_SOAK`).
    public static let isFull = getenv("PM_TEST_SOAK") != nil

    /// Whether they run under a tool that slows everything down and keeps memory that was freed (`PM_TEST_SLOW`).
    public static let isSlow = getenv("PM_TEST_SLOW") != nil

    /// One of two sizes.
    public static func of<Value>(_ full: Value, reduced: Value) -> Value { isFull ? full : reduced }
}
