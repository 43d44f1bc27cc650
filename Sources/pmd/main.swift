print("pmd")
