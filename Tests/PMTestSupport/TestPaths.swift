import Glibc

/// Where tests find the programs and files they need, so that they also run outside the checkout, as another user.
public enum TestPaths {
    /// Directory of the staged programs: `PM_TEST_STAGE`, else the checkout's `.build/stage`.
    public static var stage: String { environment("PM_TEST_STAGE") ?? root + "/.build/stage" }

    /// Directory that holds `Examples` and `Tests/Fixtures`: `PM_TEST_ROOT`, else the checkout this was compiled in.
    public static var root: String { environment("PM_TEST_ROOT") ?? checkout }

    /// The staged command line program.
    public static var pm: String { stage + "/bin/pm" }

    /// The staged directory of the programs that `pm` starts (`PM_LIBEXEC`).
    public static var libexec: String { stage + "/lib/pm" }

    /// The staged daemon.
    public static var pmd: String { libexec + "/pmd" }

    /// The staged holder.
    public static var pmInit: String { libexec + "/pm-init" }

    /// The staged gateway.
    public static var pmGateway: String { libexec + "/pm-gateway" }

    /// Directory of the example workspaces.
    public static var examples: String { root + "/Examples" }

    /// A file or directory in `Tests/Fixtures`.
    public static func fixture(_ name: String) -> String { root + "/Tests/Fixtures/" + name }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    // Tests/PMTestSupport/TestPaths.swift is three components below the checkout.
    private static var checkout: String {
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    }
}
