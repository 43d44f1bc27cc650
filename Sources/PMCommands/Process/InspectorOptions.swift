import ArgumentParser
import PMModel

/// `--inspect[=[HOST:]PORT]` and `--inspect-brk[=[HOST:]PORT]`, for all commands that start a program.
struct InspectorOptions: ParsableArguments {
    @Flag(help: "Run Node with its inspector, at a free port; --inspect=PORT or --inspect=HOST:PORT chooses one.")
    var inspect = false

    @Flag(
        name: .customLong("inspect-brk"),
        help: "As --inspect, but the program waits for a debugger before its first line.")
    var inspectBreak = false

    /// The value of the two flags: the parser knows no option whose value may be left out.
    @Option(name: .customLong(Self.addressName), help: .hidden, transform: Self.address)
    var inspectorAddress: InspectorAddress?

    private static let addressName = "inspector-address"

    private static func address(_ text: String) throws -> InspectorAddress {
        guard let address = InspectorAddress(text) else {
            throw ValidationError("--inspect takes PORT or HOST:PORT, not '\(text)'.")
        }
        return address
    }

    /// The meaning of the options together.
    var inspection: Inspection {
        if inspectBreak { return Inspection(.inspectBreak, at: inspectorAddress) }
        return inspect ? Inspection(.inspect, at: inspectorAddress) : .none
    }

    /// The words for the parser: `--inspect=9229` is the flag and the option with its value.
    static func separated(_ word: String) -> [String] {
        for flag in ["--inspect", "--inspect-brk"] where word.hasPrefix(flag + "=") {
            return [flag, "--\(addressName)=\(word.dropFirst(flag.count + 1))"]
        }
        return [word]
    }
}
