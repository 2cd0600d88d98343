import unittest

from comparison.timing import Spread, speedup


class SpreadTest(unittest.TestCase):
    def test_takes_the_middle_and_the_ends(self):
        self.assertEqual(Spread.of([3.0, 1.0, 2.0]), Spread(2.0, 1.0, 3.0))
        self.assertEqual(Spread.of([4.0, 1.0, 2.0, 3.0]), Spread(2.5, 1.0, 4.0))
        self.assertEqual(Spread.of([5.0]), Spread(5.0, 5.0, 5.0))

    def test_refuses_nothing(self):
        with self.assertRaises(ValueError):
            Spread.of([])


class SpeedupTest(unittest.TestCase):
    def test_divides_round_by_round(self):
        # A disturbance that slows both in the second round leaves the ratio alone.
        self.assertEqual(speedup([1.0, 10.0, 2.0], [2.0, 20.0, 3.0]), Spread(2.0, 1.5, 2.0))

    def test_is_above_one_where_ours_is_faster(self):
        self.assertGreater(speedup([1.0], [1.5]).median, 1)
        self.assertLess(speedup([1.5], [1.0]).median, 1)

    def test_refuses_rounds_that_do_not_match(self):
        with self.assertRaises(ValueError):
            speedup([1.0, 2.0], [1.0])


if __name__ == "__main__":
    unittest.main()
