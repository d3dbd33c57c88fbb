"""The verbs and rules of Parley: keyword-only, framework-free; the same behind every transport."""
