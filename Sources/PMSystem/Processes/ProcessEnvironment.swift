import Glibc

/// The environment this process was started with (environ(7)).
public enum ProcessEnvironment {
    /// Variables in their order. Of those with one name the first counts, as for getenv(3); an entry without `=` is
    /// left out.
    public static var variables: [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        var names: Set<String> = []
        var next = environ
        while let entry = next.pointee {
            next += 1
            let text = String(cString: entry)
            guard let equals = text.firstIndex(of: "=") else { continue }
            let name = String(text[..<equals])
            if names.insert(name).inserted { result.append((name, String(text[text.index(after: equals)...]))) }
        }
        return result
    }
}
