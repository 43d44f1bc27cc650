import Glibc
import PMModel

/// The environment this process was started with (environ(7)).
public enum ProcessEnvironment {
    /// Variables in their order; bytes that are no UTF-8 as `ByteText` has them. Of those with one name the first counts, as for getenv(3); an entry without `=` is
    /// left out.
    public static var variables: [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        var names: Set<String> = []
        var next = environ
        while let entry = next.pointee {
            next += 1
            let bytes = UnsafeRawBufferPointer(start: entry, count: strlen(entry))
            guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = ByteText.text(of: bytes[..<equals])
            if names.insert(name).inserted { result.append((name, ByteText.text(of: bytes[(equals + 1)...]))) }
        }
        return result
    }

    /// The words of the command line behind the program's name; bytes that are no UTF-8 as `ByteText` has them.
    /// `CommandLine.arguments` would replace those bytes.
    public static var arguments: [String] {
        (1..<max(Int(CommandLine.argc), 1)).compactMap { index in
            CommandLine.unsafeArgv[index].map { word in
                ByteText.text(of: UnsafeRawBufferPointer(start: word, count: strlen(word)))
            }
        }
    }
}
