"""Learned and classical perturbation sets: train, search, measure and see them.

A *perturbation set* S gives every clean input x a region of parameters δ and a map from δ to inputs. Everything in this
package gets such a set, searches it, samples it, trains against it, or measures it.
"""
